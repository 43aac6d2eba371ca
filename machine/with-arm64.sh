#!/bin/sh
# Runs a command; until it ends, this machine runs programs for arm64 too:
# unshare --mount machine/with-arm64.sh COMMAND...
#
# It registers qemu's user emulation, as Debian's binfmt-support would. That is enough to install packages, but not to
# run tests: the emulation does not pass on all system calls and socket options. Needs root.
set -eu

registered=/proc/sys/fs/binfmt_misc
[ -e $registered/register ] || mount -t binfmt_misc binfmt_misc $registered
if [ ! -e $registered/qemu-aarch64 ]; then
    trap 'echo -1 >$registered/qemu-aarch64' EXIT
    trap 'exit 1' HUP INT TERM
    # The first bytes of a program for arm64, and which of their bits count. With the flag F, the kernel opens qemu now,
    # so that it also works in roots without qemu.
    bytes='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
    mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
    printf %s ":qemu-aarch64:M::$bytes:$mask:/usr/bin/qemu-aarch64-static:F" >$registered/register
fi
"$@"
