#!/usr/bin/env bash
# Installs the packages of target/deb in a fresh Debian, as users do, and uses them there beside
# Debian's own libkeepalive0 and libdontdie0: tests/packaging/debian.sh SUITE...
#
# Needs root for debootstrap and chroot, and the network for apt. The last line counts all suites.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

for suite; do
    root=$(machine/debian-root.sh "$suite" gcc libc6-dev pkg-config php-cli)
    copy=$temporary/$suite
    cp -a "$root" "$copy"
    # This machine's bats: that of an old Debian can do less.
    tar -C / -cf - usr/bin/bats usr/lib/bats usr/lib/bats-core usr/libexec/bats-core | tar -C "$copy" -xf -
    mkdir "$copy/test"
    cp -r --parents Cargo.toml include/keepalive.h php tests/shell.bash tests/packaging target/deb "$copy/test"
    make -s install CARGO=false BUILD=target/debian11 DESTDIR="$copy/test/local"
    unshare --mount --pid --fork --root="$copy" --mount-proc=/proc \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        bats --tap /test/tests/packaging/in-debian.bats </dev/null >"$temporary/said" || true
    sed -E "s/^((not )?ok [0-9]+) /\1 Debian $suite: /" "$temporary/said"
    grep -q '^1\.\.' "$temporary/said" || echo "not ok 1 Debian $suite: bats did not run"
    rm -rf "$copy"
done | tests/count.sh
