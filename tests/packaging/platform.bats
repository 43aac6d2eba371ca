#!/usr/bin/env bats
# What a release has for one platform, as files, and running where they belong:
# PLATFORM=... OBJECTS=folder SYSROOT=folder COMPILER=... tests/bats.sh tests/packaging/platform.bats
#
# Programs are linked against the sysroot's C library and run with its loader; those for another processor
# in qemu's user emulation, which hands the system calls of this test to the machine's own kernel, but not
# TCP_INFO: for another processor all of the C tests are those of make test-machines.

load ../shell

setup_file() {
    cp "$OBJECTS/libkeepalive.so" "$BATS_FILE_TMPDIR/libkeepalive.so.1"
    for program in packaging/consumer packaging/listener c/behaviour; do
        build "$program"
    done
}

setup() {
    object=$OBJECTS/libkeepalive.so
    preload=$OBJECTS/libkeepalive-preload.so
    processor=${PLATFORM##*-}
    emulator=
    [ "$processor" = "$(uname -m)" ] || emulator=qemu-$processor-static
}

is_musl() { [[ $PLATFORM == *-musl-* ]]; }
tagged() { readelf -d "$2" | sed -n "s/.*($1).*\[\(.*\)\]/\1/p"; }
functions() { nm -D --defined-only "$1" | sed 's/.* //' | sort; }
loader() { if is_musl; then echo "$SYSROOT"/lib/ld-musl-*.so.1; else echo "$SYSROOT"/lib*/ld-linux-*.so.?; fi; }

build() { # a program of tests
    local musl multiarch before after
    if is_musl; then
        musl=$(echo "$SYSROOT"/usr/lib/*-linux-musl)
        before=(-nostdinc -isystem "$(echo "$SYSROOT"/usr/include/*-linux-musl)"
            -isystem "$("$COMPILER" -print-file-name=include)" -nostdlib -no-pie "$musl"/crt1.o "$musl"/crti.o)
        after=("$(loader)" "$musl/libgcc.a" "$musl/crtn.o")
    else
        multiarch=$("$COMPILER" -print-multiarch)
        before=(--sysroot="$SYSROOT")
        after=(-L"$SYSROOT/usr/lib/$multiarch" -L"$SYSROOT/lib/$multiarch")
    fi
    "$COMPILER" -D_DEFAULT_SOURCE -std=c11 -pthread -Iinclude "${before[@]}" "tests/$1.c" \
        -o "$BATS_FILE_TMPDIR/${1#*/}" "$BATS_FILE_TMPDIR/libkeepalive.so.1" "${after[@]}"
}

run_there() { # a program, after the loader's options
    local loader
    loader=$(realpath "$(loader)")
    # shellcheck disable=SC2086 # nothing where there is none
    run -0 $emulator "$loader" --library-path "$BATS_FILE_TMPDIR:$(dirname "$loader")" "$@"
}

@test "$PLATFORM: the soname and the functions" {
    assert_equal "$(tagged SONAME "$object")" libkeepalive.so.1
    assert_equal "$(functions "$object")" "$(cat tests/abi/exports.txt)"
}

@test "$PLATFORM: no folder of the building machine inside" {
    run -1 grep -lF "$PWD" "$object" "$preload"
}

@test "$PLATFORM: libkeepalive-preload.so needs neither the unwinder nor threads" {
    run -1 grep -E 'gcc|pthread' <(tagged NEEDED "$preload")
}

@test "$PLATFORM: it needs musl's libc and nothing else, or a glibc as old as docs/install.md says" {
    local versions
    versions=$(readelf -V "$object" | grep -o 'GLIBC_[0-9.]*' | sort -uV)
    if is_musl; then
        assert_equal "$(tagged NEEDED "$object")" libc.so
        assert_equal "$versions" ""
    else
        assert_equal "$(tail -n 1 <<<"$versions")" GLIBC_2.30
    fi
}

# Whether the PHP package works there, and chooses this library.
@test "$PLATFORM: secure_getenv is both C libraries', gnu_get_libc_version only glibc's" {
    if is_musl; then
        functions "$(loader)" | grep -wx secure_getenv
        run -1 grep -w gnu_get_libc_version <(functions "$(loader)")
    else
        functions "$SYSROOT"/lib/*/libc.so.6 | grep -w gnu_get_libc_version
    fi
}

@test "$PLATFORM: a C program runs" {
    run_there "$BATS_FILE_TMPDIR/consumer"
    assert_output "$(version) $(version)"
}

@test "$PLATFORM: libkeepalive-preload.so in a program that knows nothing of it" {
    LIBKEEPALIVE=61,11,7 run_there --preload "$(realpath "$preload")" "$BATS_FILE_TMPDIR/listener"
    assert_output "1 61/11/7"
}

@test "$PLATFORM: behaviour.c finds nothing wrong; for another processor it was only compiled" {
    [ -n "$emulator" ] || {
        run_there "$BATS_FILE_TMPDIR/behaviour"
        assert_equal "$(grep -v '^ok: ' <<<"$output" || true)" ""
        assert_output --partial "forked process"
    }
}
