#!/usr/bin/env bash
# Boots Debian's kernels in qemu, by emulation, and runs the C tests there:
# tests/machines/run.sh SUITE-ARCHITECTURE...
#
# make test-kernels and make test-machines build the libraries before. A machine is a kernel of that suite
# and the few files of tests/machines/initramfs.sh; one runs at a time. The last line counts all checks.
set -eu
cd "$(dirname "$0")/../.."

# Of an architecture: its kernel's package, its compiler, the folder of its library, and qemu's machine.
machine() {
    library=
    # An emulator that gets no processor for a moment would be taken for a broken timer.
    patient=no_timer_check
    case $1 in
        amd64)
            package=linux-image-cloud-amd64 compiler=x86_64-linux-gnu-gcc target=x86_64-unknown-linux-gnu
            qemu="qemu-system-x86_64" console="ttyS0 $patient"
            ;;
        i386)
            package=linux-image-686 compiler=i686-linux-gnu-gcc target=i686-unknown-linux-gnu
            qemu="qemu-system-i386" console="ttyS0 $patient"
            ;;
        arm64)
            package=linux-image-cloud-arm64 compiler=aarch64-linux-gnu-gcc target=aarch64-unknown-linux-gnu
            qemu="qemu-system-aarch64 -M virt -cpu cortex-a72" console=ttyAMA0
            ;;
        armhf)
            package=linux-image-armmp compiler=arm-linux-gnueabihf-gcc target=armv7-unknown-linux-gnueabihf
            qemu="qemu-system-arm -M virt -cpu cortex-a15" console=ttyAMA0
            ;;
        s390x)
            package=linux-image-s390x compiler=s390x-linux-gnu-gcc target=s390x-unknown-linux-gnu
            qemu="qemu-system-s390x -M s390-ccw-virtio" console=ttysclp0
            ;;
        *)
            echo "tests/machines/run.sh: no machine for $1: amd64, i386, arm64, armhf and s390x are known" >&2
            exit 2
            ;;
    esac
    library=target/debian11/$target/release
    [ -e "$library" ] || library=target/debian11/release # this machine's own
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
passed=0
failed=0
table=

for name; do
    suite=${name%-*}
    architecture=${name#*-}
    machine "$architecture"
    sysroot=$(realpath ".cache/sysroot-$architecture")
    programs=$temporary/$name
    mkdir -p "$programs"
    cp "$library"/libkeepalive.so "$programs/libkeepalive.so.1"
    cp "$library"/libkeepalive-preload.so "$programs"
    cp "$library"/libkeepalive.so "$programs/found-in-t.so"
    for program in machines/kernel machines/switches-off packaging/listener c/behaviour c/loaded; do
        "$compiler" -D_DEFAULT_SOURCE -std=c11 -pthread -Wall -Wextra -Werror -Iinclude --sysroot="$sysroot" \
            "tests/$program.c" -o "$programs/${program#*/}" "$programs/libkeepalive.so.1" -ldl -Wl,-rpath,/t \
            -B"$sysroot/usr/lib/" -L"$(echo "$sysroot"/usr/lib/*-linux-gnu*)" -L"$(echo "$sysroot"/lib/*-linux-gnu*)"
    done
    cat >"$programs/run" <<END
#!/bin/sh
for program in behaviour kernel; do
    ./\$program || echo "FAILED: \$program ends with status \$?"
done
says() { if [ "\$2" = "\$3" ]; then echo "ok: \$1"; else echo "FAILED: \$1: \$3"; fi; }
says "the library as a file" "$version" \\
    "\$(./loaded /t/libkeepalive.so.1 $(paste -sd ' ' tests/abi/exports.txt) 2>&1)"
says "libkeepalive-preload.so" "1 61/11/7" \\
    "\$(LD_PRELOAD=/t/libkeepalive-preload.so LIBKEEPALIVE=61,11,7 ./listener 2>&1)"
says "a library that only the program's own search path leads to" "$version" \\
    "\$(LD_PRELOAD=/t/libkeepalive-preload.so LIBKEEPALIVE=61,11,7 ./loaded found-in-t.so ka_set 2>&1)"
says "it stays on in a program that switches it off" "on 1" \\
    "\$(LD_PRELOAD=/t/libkeepalive-preload.so LIBKEEPALIVE=61,11,7 ./switches-off 2>&1)"
END
    chmod +x "$programs/run"
    folder=$(machine/kernel.sh "$suite" "$architecture" "$package")
    image=$(find "$folder" -name 'vmlinuz*' | head -n 1)
    tests/machines/initramfs.sh "$temporary/initramfs" "$(find "$folder" -path '*/bin/busybox')" "$sysroot" "$programs"

    before=$SECONDS
    said=$temporary/said
    # shellcheck disable=SC2086 # words on purpose
    timeout 300 nice $qemu -accel tcg -smp 2 -m 512 -nographic -no-reboot -nic none -kernel "$image" \
        -initrd "$temporary/initramfs" -append "console=$console quiet panic=-1 rdinit=/init" \
        </dev/null 2>&1 | tr -d '\r' >"$said" || true
    took=$((SECONDS - before))
    good=$(grep -c '^ok: ' "$said" || true)
    bad=$(grep -c '^FAILED' "$said" || true)
    if ! grep -q '^END' "$said" || ! grep -q '^ok: kernel.c came' "$said" && [ "$bad" -eq 0 ]; then
        bad=$((bad + 1))
        echo "FAILED: $name did not come to its end:"
        tail -n 40 "$said" | sed 's/^/    /'
    fi
    grep -E '^(FAILED|note: )' "$said" | sed "s/^/$name: /" || true
    passed=$((passed + good))
    failed=$((failed + bad))
    table="$table| $name | $(sed -n 's/.*KERNEL //p' "$said") | $good passed, $bad failed | $took s |"$'\n'
done

printf '\n%s\n%s\n%s\n' '| Debian | kernel | the C tests | |' '| --- | --- | --- | --- |' "$table"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
