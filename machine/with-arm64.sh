#!/bin/sh
# Runs a command; until it ends, this machine runs programs for arm64 too:
# unshare --mount machine/with-arm64.sh COMMAND...
#
# By qemu's user emulation, as Debian's binfmt-support would have it. That is enough to install packages, and not for
# tests: it does not pass on all system calls and socket options. Needs root.
set -eu

registered=/proc/sys/fs/binfmt_misc
[ -e $registered/register ] || mount -t binfmt_misc binfmt_misc $registered
if [ ! -e $registered/qemu-aarch64 ]; then
    trap 'echo -1 >$registered/qemu-aarch64' EXIT
    trap 'exit 1' HUP INT TERM
    # The first bytes of a program for arm64, and which of their bits count. F: also in roots without qemu.
    bytes='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf %s ":qemu-aarch64:M::$bytes:$mask:/usr/bin/qemu-aarch64-static:F" >$registered/register
fi
"$@"
