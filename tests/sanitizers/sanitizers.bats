#!/usr/bin/env bats
# The library under AddressSanitizer, valgrind and libFuzzer, from C, from Rust and from PHP.
#
# A tool that is not on finds nothing, so each has to find a deliberate mistake first.
# FUZZ_SECONDS (20) is how long the fuzzer runs.

load ../shell

# With AddressSanitizer, libFuzzer's counters, overflow checks and debug assertions. -Zsanitizer wants a
# nightly compiler, or RUSTC_BOOTSTRAP=1: for what is only tested, that will do. The other flags are what
# cargo-fuzz gives. Without LTO, which takes the counters apart.
instrumented_library() {
    local target
    target=$(rustc_target)
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_STRIP=none RUSTC_BOOTSTRAP=1 \
        RUSTFLAGS="-Zsanitizer=address -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
-Cdebuginfo=1 -Cdebug-assertions -Coverflow-checks" \
        cargo rustc --quiet --locked --release --lib --crate-type staticlib \
        --target "$target" --target-dir target/instrumented
    echo "$PWD/target/instrumented/$target/release/libkeepalive.a"
}

rustc_target() { rustc -vV | sed -n 's/^host: //p'; }

setup_file() {
    name_library
    instrumented=$(instrumented_library)
    export instrumented
}

# A PHP that allocates by malloc, because its own allocator would hide mistakes; with the two extensions
# that the package uses: the faults of others would be reported too.
setup() {
    export USE_ZEND_ALLOC=0 ZEND_DONT_UNLOAD_MODULES=1
    php=("$(php -r 'echo PHP_BINARY;')" -n -d extension=ffi -d extension=sockets -d zend.assertions=1 -d pcre.jit=0)
}

program() { echo "$BATS_FILE_TMPDIR/$1"; }

# AddressSanitizer, C and Rust

in_asan() { # the program's name, files
    compile clang -g -O1 -fsanitize=address -o "$(program "$1")" "${@:2}" "$instrumented" -lm
}

# The mistake is one that the library's own code carries out: that its report names ka_sockets proves
# that the Rust code is watched, and not only what is around it.
@test "AddressSanitizer is on, and watches the library" {
    in_asan overflow tests/sanitizers/overflow.c
    run ! "$(program overflow)"
    assert_output --partial heap-buffer-overflow
    assert_output --regexp ' in .*sockets.*src/'
}

@test "random calls under AddressSanitizer" {
    in_asan random tests/sanitizers/fuzz.c tests/sanitizers/random.c
    "$(program random)" 3000
}

@test "the tests in C under AddressSanitizer" {
    in_asan behaviour tests/c/behaviour.c
    "$(program behaviour)"
}

# All but the one where memory runs out: AddressSanitizer itself ends there.
@test "the tests in Rust under AddressSanitizer" {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test --locked --no-fail-fast --tests \
        --package keepalive --package keepalive-core \
        --target "$(rustc_target)" --target-dir target/instrumented-tests \
        -- --skip without_any_memory --skip the_cases_of_others
}

@test "the fuzzer, with AddressSanitizer" {
    compile clang -g -O1 -fsanitize=fuzzer,address -o "$(program fuzz)" tests/sanitizers/fuzz.c "$instrumented" -lm
    mkdir "$BATS_TEST_TMPDIR/corpus"
    cd "$BATS_TEST_TMPDIR"
    run -0 "$(program fuzz)" corpus -max_len=400 -max_total_time="${FUZZ_SECONDS:-20}"
    local executions
    executions=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' <<<"$output")
    note "libFuzzer: $executions executions, edges at first and at last:$(
        sed -n 's/.*\( cov: [0-9]*\).*/\1/p' <<<"$output" | sed -n '1p;$p' | tr -d '\n')"
    [ "$executions" -ge 1000 ]
}

# AddressSanitizer and PHP

asan_php() {
    local shared
    shared=$(program asan.so)
    if [ ! -e "$shared" ]; then
        clang -shared -fsanitize=address -shared-libasan -o "$shared" \
            -Wl,--whole-archive "$instrumented" -Wl,--no-whole-archive -lm
        compile clang -shared -fPIC -o "$(program no-deepbind.so)" tests/sanitizers/no-deepbind.c
    fi
    KEEPALIVE_LIBRARY=$shared \
        LD_PRELOAD="$(program no-deepbind.so) $(clang -print-file-name=libclang_rt.asan-x86_64.so)" \
        ASAN_OPTIONS=detect_leaks=0:verify_asan_link_order=0 "${php[@]}" "$@"
}

@test "AddressSanitizer is on in PHP" {
    run ! asan_php tests/sanitizers/overflow.php "$(program asan.so)"
    assert_output --partial heap-buffer-overflow
}

@test "everything from PHP under AddressSanitizer" { asan_php tests/sanitizers/everything.php 200; }

# valgrind, with the library that ships

plain() { compile_and_link gcc -g -O1 -o "$(program "$1")" "${@:2}"; } # the program's name, files
grind() { valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite "$@"; }

@test "valgrind is on" {
    plain plain-overflow tests/sanitizers/overflow.c
    run ! grind "$(program plain-overflow)"
    assert_output --partial 'Invalid write'
}

@test "random calls under valgrind" {
    plain plain-random tests/sanitizers/fuzz.c tests/sanitizers/random.c
    grind "$(program plain-random)" 150
}

@test "the tests in C under valgrind" {
    plain plain-behaviour tests/c/behaviour.c
    grind "$(program plain-behaviour)"
}

grind_php() {
    KEEPALIVE_LIBRARY=$PWD/$LIBRARY valgrind -q --error-exitcode=9 --leak-check=no "${php[@]}" "$@"
}

@test "valgrind is on in PHP" {
    run ! grind_php tests/sanitizers/overflow.php "$PWD/$LIBRARY"
    assert_output --partial 'Invalid write'
}

@test "everything from PHP under valgrind" { grind_php tests/sanitizers/everything.php 10; }
