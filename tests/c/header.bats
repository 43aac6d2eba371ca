#!/usr/bin/env bats
# The header in every C and C++ that it promises: alone, and included by both files of a program.

load ../shell

setup_file() { name_library; }

# Under the names that gcc 12 and clang 14 know; newer ones know them too.
in_each_language() { # compiler, function that takes the compiler and its flags
    local standard cpp23=c++23
    [ "$1" = gcc ] || cpp23=c++2b
    for standard in c90 c99 c11 c17 c2x c++11 c++14 c++17 c++20 $cpp23; do
        echo "$1 -std=$standard"
        "$2" "$1" -std="$standard" -x "${standard%%[0-9]*}"
    done
}

alone() { compile "$@" -fsyntax-only - <<<'#include <keepalive.h>'; }

in_two_files() {
    compile_and_link "$@" -o "$BATS_TEST_TMPDIR/program" tests/c/first.c tests/c/second.c
    "$BATS_TEST_TMPDIR/program"
    rm "$BATS_TEST_TMPDIR/program"
}

@test "gcc, ten languages: the header alone" { in_each_language gcc alone; }
@test "gcc, ten languages: a program whose two files include the header compiles and runs" { in_each_language gcc in_two_files; }
@test "clang, ten languages: the header alone" { in_each_language clang alone; }
@test "clang, ten languages: a program whose two files include the header compiles and runs" { in_each_language clang in_two_files; }

@test "a compiler that accepts everything would pass the above: gcc sees an error in a header" {
    run ! gcc -x c -std=c99 -Iinclude -fsyntax-only - <<<$'#include <keepalive.h>\nint ka_set(void);'
    assert_output --partial "conflicting types for"
}
