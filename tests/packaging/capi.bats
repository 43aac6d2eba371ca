#!/usr/bin/env bats
# Compares what `cargo cinstall` installs with what `make install` does. Needs cargo-c, which takes
# long to build (cargo install cargo-c --locked), so it is not part of make test: make test-capi.

load ../shell

setup_file() {
    local where=(--prefix=/usr --libdir=/usr/lib)
    cargo cinstall --release --locked --target-dir target/capi --destdir="$BATS_FILE_TMPDIR/cargo" "${where[@]}"
    make -s install CARGO=false DESTDIR="$BATS_FILE_TMPDIR/make" PREFIX=/usr LIBDIR=/usr/lib
}

same() { # a function that describes one of both
    assert_equal "$("$1" "$BATS_FILE_TMPDIR/cargo" "${@:2}")" "$("$1" "$BATS_FILE_TMPDIR/make" "${@:2}")"
}

files() { (cd "$1" && find . ! -type d ! -name '*-preload.so' | sort); } # which is another crate's
dynamic() { readelf -d "$1/usr/lib/libkeepalive.so" | sed -n 's/.*(\(SONAME\|NEEDED\|FLAGS_1\)) *//p'; }
functions() { nm -D --defined-only "$1/usr/lib/libkeepalive.so" | cut -d' ' -f3; }
described() { PKG_CONFIG_PATH=$1/usr/lib/pkgconfig pkg-config "${@:2}" keepalive; }
header() { cat "$1/usr/include/keepalive.h"; }

@test "the files" { same files; }
@test "the soname, what it needs, and nodelete" { same dynamic; }
@test "the exported functions" { same functions; }
@test "pkg-config's version" { same described --modversion; }
@test "pkg-config's flags" { same described --cflags --libs; }
@test "the header" { same header; }
