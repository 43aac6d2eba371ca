#!/usr/bin/env bats
# What a release ships: its oldest glibc, its functions, its Debian packages. After make deb.

load ../shell

setup() { release=target/debian11/release/libkeepalive.so; }

@test "it runs on the glibc that docs/install.md states" {
    local oldest=2.30 # Debian 11 has 2.31
    assert_equal "$(objdump -T "$release" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)" "GLIBC_$oldest"
    grep "glibc $oldest " docs/install.md
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
