#!/usr/bin/env bats
# What a release ships: its oldest glibc, its functions, its Debian packages. After make deb.

load ../shell

setup() { release=target/debian11/release/libkeepalive.so; }

@test "it runs on the glibc that docs/install.md states" {
    local oldest=2.30 # Debian 11 has 2.31
    assert_equal "$(objdump -T "$release" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)" "GLIBC_$oldest"
    grep "glibc $oldest " docs/install.md
}

@test "docs/install.md: the library alone, for C" {
    local archive=$BATS_TEST_TMPDIR/archive local=$BATS_TEST_TMPDIR/local
    install -D "$release" "$archive/php/lib/linux-x86_64/libkeepalive.so"
    install -D include/keepalive.h "$archive/include/keepalive.h"
    mkdir -p "$local/lib" "$local/include"
    sed -n '/^sudo install -m 644 php/,/^sudo ldconfig$/p' docs/install.md >"$archive/commands"
    (cd "$archive" && sed "s|^sudo ||; s|/usr/local|$local|; /^ldconfig$/d" commands | sh -eu)
    cc -D_DEFAULT_SOURCE -I"$local/include" tests/packaging/consumer.c -o "$local/program" -L"$local/lib" -lkeepalive
    assert_equal "$(LD_LIBRARY_PATH=$local/lib "$local/program")" "$(version) $(version)"
}

functions() { nm -D --defined-only "$1" | cut -d' ' -f2-; }

@test "it has the functions of make build" {
    assert_equal "$(functions "$release")" "$(functions target/release/libkeepalive.so)"
}

@test "debian/changelog's version is Cargo.toml's (if not: dch -v)" {
    assert_equal "$(sed -n '1s/^keepalive (\(.*\)-[0-9]*) .*/\1/p' debian/changelog)" "$(version)"
}

@test "the Debian packages" {
    assert_equal "$(cd target/deb && printf '%s\n' *.deb | sed 's/-[0-9]*_.*//')" \
        "$(printf "%s_$(version)\n" libkeepalive-dev libkeepalive-preload libkeepalive1 php-keepalive)"
}

@test "lintian finds nothing" { assert_equal "$(lintian -EI --pedantic --allow-root target/deb/*.deb 2>&1)" ""; }
