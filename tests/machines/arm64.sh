#!/usr/bin/env bash
# PHP, the Debian packages, and what a release has for arm64, in an emulated Debian 13: tests/machines/arm64.sh
#
# make test-machines builds them before. Needs root. The last line counts all tests.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

# The PHP tests of what every program uses: both backends, TLS streams, Sockets, processes that run already. The others
# look at servers, users and folders, or start hundreds of programs, which takes an emulator long.
chosen='Constants|Enable|EnableConnectionsTo|List|Mptcp|Set|Settings'

debian=$(unshare --mount machine/with-arm64.sh machine/debian-root.sh trixie-arm64 php-cli php-xml php-mbstring phpunit \
    openssl strace iproute2 util-linux gcc libc6-dev pkg-config bats bats-assert bats-support)
image=$(find "$(machine/kernel.sh trixie arm64 linux-image-cloud-arm64)/boot" -name 'vmlinuz*')
work=$(mktemp -d -p .cache)
trap 'rm -rf "$work"' EXIT
cp -al "$debian" "$work/root" # links: files are added, and none is changed
there=$work/root/test
mkdir -p "$there/target/deb" "$there/others"
{ git ls-files && find target/debian11/aarch64-* -path '*/release/*.so' && echo .cache/sysroot-arm64; } |
    tar -cf - -T - | tar -C "$there" -xf -
cp -a "$there/target/debian11/aarch64-unknown-linux-gnu/release" "$there/target/release"
cp target/deb-arm64/*.deb target/deb/php-keepalive_*.deb "$there/target/deb"
make -s install CARGO=false BUILD=target/debian11 TARGET=aarch64-unknown-linux-gnu LINKER=aarch64-linux-gnu-gcc \
    DESTDIR="$PWD/$there/local"
# apt's only source there, because the machine has no network.
machine/download.sh "$there/others" trixie arm64 libkeepalive0 libdontdie0
(cd "$there/others" && dpkg-scanpackages . 2>/dev/null >Packages)
cat >"$there/init" <<END
#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts -o ptmxmode=0666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /tmp
ip link set lo up
printf '127.0.0.1 localhost\\n::1 localhost\\n' >/etc/hosts
cd /test
echo "KERNEL \$(uname -srm)"
php -r 'echo "This is PHP ", PHP_VERSION, "\n";'
php php/bin/keepalive doctor | grep 'Everything works' || echo "not ok keepalive doctor"
phpunit --filter '/\\\\($chosen)Test::/'
echo "deb [trusted=yes] file:/test/others ./" >/etc/apt/sources.list
bats --tap tests/packaging/in-debian.bats
platform() {
    PLATFORM=\$1 OBJECTS=target/debian11/\$2/release SYSROOT=.cache/sysroot-arm64 COMPILER=gcc \\
        bats --tap tests/packaging/platform.bats
}
platform linux-aarch64 aarch64-unknown-linux-gnu
platform linux-musl-aarch64 aarch64-unknown-linux-musl
echo END
echo o >/proc/sysrq-trigger
sleep 60
END
chmod +x "$there/init"
mke2fs -q -t ext4 -d "$work/root" "$work/disk" 3G >/dev/null

before=$SECONDS
said=$work/said
# The kernel has these drivers built in.
timeout 3600 nice qemu-system-aarch64 -M virt -cpu cortex-a72 -accel tcg -smp 2 -m 1024 -nographic -no-reboot -nic none \
    -drive "file=$work/disk,if=none,id=disk,format=raw,cache=unsafe" -device nvme,serial=1,drive=disk \
    -kernel "$image" -append "console=ttyAMA0 quiet panic=-1 root=/dev/nvme0n1 rw init=/test/init" </dev/null 2>&1 |
    sed -u 's/\r$//' | tee "$said" || true
took=$((SECONDS - before))

passed=$(grep -c '^ok ' "$said" || true)
failed=$(grep -c '^not ok ' "$said" || true)
php=$(sed -n 's/^OK (\([0-9]*\) tests.*/\1/p' "$said")
[ -n "$php" ] || failed=$((failed + 1))
if ! grep -q '^END' "$said"; then
    failed=$((failed + 1))
    echo "not ok: arm64 did not come to its end"
fi
echo "arm64: $took s"
echo "$((passed + php)) passed, $failed failed"
[ "$failed" -eq 0 ]
