#!/usr/bin/env bats
# The built library as a file: its name, its exports, what it needs, and how it was linked.

load ../shell

setup_file() { name_library; }

dynamic() { readelf -dW "$LIBRARY" | sed -n "s/.*($1) *//p"; }
exports() { cat tests/abi/exports.txt; }
functions() { grep -o '\<ka_[a-z_]* *(' | tr -d ' (' | sort; }
segment() { readelf -lW "$LIBRARY" | sed -n "s/^ *$1 .*0x[0-9a-f]* \([RWE ]*\) [0-9a-fx]*$/\1/p" | tr -d ' '; }

# Name, loading and unloading

@test "the soname has the major version, which is the ABI's" {
    local version
    version=$(version)
    assert_equal "$(dynamic SONAME)" "Library soname: [libkeepalive.so.${version%%.*}]"
}

@test "NODELETE, because PHP unloads libraries at the end of each request" {
    grep -qw NODELETE <(dynamic FLAGS_1)
}

@test "loaded, all functions there, still there after dlclose, and its version is Cargo.toml's" {
    local loaded=$BATS_TEST_TMPDIR/loaded
    compile gcc -std=c99 -o "$loaded" tests/c/loaded.c -ldl
    # shellcheck disable=SC2046 # words
    run -0 "$loaded" "$(realpath "$LIBRARY")" $(exports)
    assert_output "$(version)"
    # A missing function would be seen: the C library has no ka_set.
    run ! "$loaded" libc.so.6 ka_set
}

@test "the header's version is Cargo.toml's" {
    local macros=KA_VERSION_MAJOR.KA_VERSION_MINOR.KA_VERSION_PATCH
    assert_equal "$(printf '%s\n' '#include <keepalive.h>' $macros | gcc -E -P -Iinclude - | tail -n 1 | tr -d ' ')" "$(version)"
}

# Exports: the same functions in the library, in the list, in both headers and in Debian's list

@test "the library exports what tests/abi/exports.txt lists, and nothing else" {
    assert_equal "$(nm -D --defined-only "$LIBRARY" | sed 's/^[0-9a-f]* T //' | sort)" "$(exports)"
}

@test "keepalive.h declares what the library exports" {
    assert_equal "$(gcc -E -P -Iinclude - <<<'#include <keepalive.h>' | functions)" "$(exports)"
}

@test "keepalive-ffi.h declares what the library exports" {
    assert_equal "$(gcc -E -P -x c php/keepalive-ffi.h | functions)" "$(exports)"
}

@test "libkeepalive1.symbols lists it for Debian" {
    assert_equal "$(sed -n 's/^ \(ka_[a-z_]*\)@.*/\1/p' debian/libkeepalive1.symbols | sort)" "$(exports)"
}

# Needs

# Before glibc 2.34, the C library has libpthread as a separate part.
@test "it needs only the C library, the compiler's unwinder and the loader" {
    assert_equal "$(dynamic NEEDED | grep -vE '\[(libc\.so\.6|libpthread\.so\.0|libgcc_s\.so\.1|ld-linux.*\.so\.[0-9]+)\]' || true)" ""
}

@test "it has no search path of its own" { assert_equal "$(dynamic RPATH)$(dynamic RUNPATH)" ""; }

@test "it names no folder of the building machine" { assert_equal "$(grep -cF "$PWD" "$LIBRARY" || true)" 0; }

# Hardening

@test "the stack cannot be executed" { assert_equal "$(segment GNU_STACK)" RW; }

@test "relocations become read-only (RELRO), all of them (BIND_NOW)" {
    assert_equal "$(segment GNU_RELRO)" R
    grep -qw NOW <(dynamic FLAGS_1)
}

@test "code needs no relocation" { assert_equal "$(dynamic TEXTREL)" ""; }

@test "no segment can be written and executed" {
    assert_equal "$(readelf -lW "$LIBRARY" | grep -E '\bRWE\b' || true)" ""
}

# Cargo switches LTO off without a message if the crate types do not allow it, and a stripped library does not
# show whether it was on. So the same library is built again, only without LTO, and the sizes are compared. LTO
# lets the linker look into Rust's standard library and drop a seventh of the code.
@test "LTO is on: the library is smaller by 5 % at least than one built without" {
    CARGO_PROFILE_RELEASE_LTO=off cargo rustc --quiet --locked --release --lib --crate-type cdylib \
        --target-dir target/without-lto
    local with without
    with=$(stat -L -c %s "$LIBRARY")
    without=$(stat -L -c %s target/without-lto/release/libkeepalive.so)
    note "$with bytes with LTO, $without without"
    [ "$with" -lt $((without * 95 / 100)) ]
}
