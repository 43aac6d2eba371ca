#!/bin/sh
# Runs a command of this repository in another Debian's folder: machine/in-debian-root.sh FOLDER COMMAND...
# Call it through unshare --mount --net --pid --fork: it mounts, and switches the root, in its own namespace.
# There the repository is /mnt, read only, with BUILD (target/debian11) in place of target; /tmp and /run are
# empty; the network is a loopback only.
set -eu

root=$1
shift
repository=$(cd "$(dirname "$0")/.." && pwd)

mount --make-rprivate /
mount --bind "$root" "$root"
mount --bind "$repository" "$root/mnt"
mount --bind "$repository/${BUILD:-target/debian11}" "$root/mnt/target"
mount -o remount,bind,ro "$root/mnt"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
# Its own pseudo-terminals.
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount --bind "$root/dev/pts/ptmx" "$root/dev/ptmx"
for folder in tmp run; do
    mount -t tmpfs -o mode=1777 tmpfs "$root/$folder"
done
printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/run/hosts"
[ -e "$root/etc/hosts" ] || : >"$root/etc/hosts"
mount --bind "$root/run/hosts" "$root/etc/hosts"
cd "$root"
# Not chroot: the tests make user namespaces, which is impossible after chroot.
pivot_root . .
umount -l .
ip link set lo up
cd /mnt
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"
