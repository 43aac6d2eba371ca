#!/bin/sh
# Makes a machine's file system, all in memory: tests/machines/initramfs.sh FILE BUSYBOX SYSROOT PROGRAMS
#
# PROGRAMS is a folder with what is run there, /t: programs for that processor, and a script, /t/run. The
# C library and its loader are the sysroot's.
set -eu

file=$1
busybox=$2
sysroot=$3
programs=$4

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/bin "$root"/dev "$root"/proc "$root"/sys "$root"/tmp "$root"/lib
cp "$busybox" "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
cp -r "$programs" "$root/t"
# Links to links, one of which has the name that programs ask for.
for library in "$sysroot"/lib/*-linux-gnu*/ld*.so.* "$sysroot"/lib*/ld*linux*.so.* "$sysroot"/lib*/ld64.so.* \
    "$sysroot"/lib/*-linux-gnu*/libc.so.6 "$sysroot"/lib/*-linux-gnu*/libgcc_s.so.1 \
    "$sysroot"/lib/*-linux-gnu*/libpthread.so.0 "$sysroot"/lib/*-linux-gnu*/libdl.so.2; do
    [ -e "$library" ] || continue
    cp -L "$library" "$root/lib/"
    case $library in "$sysroot"/lib64/*) mkdir -p "$root/lib64" && cp -L "$library" "$root/lib64/" ;; esac
done
cat >"$root/init" <<'END'
#!/bin/sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
ip link set lo up
uname -srm | sed 's/^/KERNEL /'
cd /t
./run
dmesg | grep -E 'BUG:|Oops|Call Trace' | sed 's/^/FAILED: the kernel says: /'
echo END
poweroff -f
END
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet -R 0:0 | gzip -1) >"$file"
