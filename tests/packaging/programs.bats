#!/usr/bin/env bats
# Programs built against an installed library: a test's own, the examples, and those in the documents.

load ../shell

setup_file() {
    export prefix=$BATS_FILE_TMPDIR/prefix PKG_CONFIG_PATH=$BATS_FILE_TMPDIR/prefix/lib/pkgconfig
    make -s install CARGO=false DESTDIR= PREFIX="$prefix" # neither cargo nor a network is asked
}

setup() {
    program=$BATS_TEST_TMPDIR/program
    version=$(version)
}

needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

in_each_language() { # a function that takes the compiler and its flags
    for compiler in "gcc -x c -std=c99" "gcc -x c++ -std=c++11" "clang -x c -std=c17" "clang -x c++ -std=c++20"; do
        echo "$compiler"
        rm -f "$program"
        # shellcheck disable=SC2086 # words
        "$1" $compiler
    done
}

consumer() { # the compiler and its flags, then, after --, what follows the file
    local before=()
    while [ "$1" != -- ]; do before+=("$1"); shift; done
    shift
    "${before[@]}" -Wall -Wextra -Wpedantic -Werror -D_DEFAULT_SOURCE -o "$program" tests/packaging/consumer.c "$@"
}

# Its output: the header's version, and the library's.

shared() {
    # shellcheck disable=SC2046 # words
    consumer "$@" -- $(pkg-config --cflags --libs keepalive)
    needed "$program" | grep -xF libkeepalive.so.1
    assert_equal "$(LD_LIBRARY_PATH=$prefix/lib "$program")" "$version $version"
}

rpath() {
    # shellcheck disable=SC2046 # words
    consumer "$@" -- $(pkg-config --cflags --libs keepalive) -Wl,-rpath,"$(pkg-config --variable=libdir keepalive)"
    assert_equal "$("$program")" "$version $version"
}

static() {
    # shellcheck disable=SC2046 # words
    consumer "$@" -- $(pkg-config --static --cflags --libs keepalive) -static
    assert_equal "$("$program")" "$version $version"
    assert_equal "$(needed "$program")" ""
}

only_this_static() {
    # shellcheck disable=SC2046 # words
    consumer "$@" -- $(pkg-config --cflags keepalive) \
        -x none "$(pkg-config --variable=libdir keepalive)/libkeepalive.a" -lpthread -ldl -lm
    assert_equal "$("$program")" "$version $version"
    run -1 grep libkeepalive <(needed "$program")
}

@test "gcc and clang, C and C++: shared" { in_each_language shared; }
@test "gcc and clang, C and C++: with an rpath" { in_each_language rpath; }
@test "gcc and clang, C and C++: static" { in_each_language static; }
@test "gcc and clang, C and C++: only this library static" { in_each_language only_this_static; }

examples() { # language, standard, pkg-config's --static or nothing
    for example in keepalive-client put-back udp-refused; do
        echo "$example.c"
        # shellcheck disable=SC2046,SC2086 # words
        gcc -x "$1" -std="$2" -D_DEFAULT_SOURCE ${3:+-static} -o "$BATS_TEST_TMPDIR/$example" \
            examples/c/$example.c $(pkg-config $3 --cflags --libs keepalive)
    done
    export LD_LIBRARY_PATH=$prefix/lib
    # After ka_set(), and after the bare setsockopt(2) that claims success.
    assert_equal "$("$BATS_TEST_TMPDIR/udp-refused" | sed -n 's/.*SO_KEEPALIVE is //p' | paste -sd ' ')" "0 1"
    run "$BATS_TEST_TMPDIR/keepalive-client"
    assert_output --partial "HOST PORT"
}

@test "the examples as C99, shared" { examples c c99 ""; }
@test "the examples as C99, static" { examples c c99 --static; }
@test "the examples as C++11, shared" { examples c++ c++11 ""; }
@test "the examples as C++11, static" { examples c++ c++11 --static; }

@test "docs/abi.md's program" {
    # shellcheck disable=SC2016 # Markdown's
    sed -n '/^```c$/,/^```$/{/^```/!p}' docs/abi.md >"$program.c"
    # shellcheck disable=SC2046 # words
    cc -Wall -Wextra -Wno-unused-variable -Werror "$program.c" $(pkg-config --cflags --libs keepalive) -o "$program"
    LD_LIBRARY_PATH=$prefix/lib run -0 "$program"
    assert_output "built with ${version%.*}, runs with ${version%.*}"
}

@test "CMake finds it and builds with it, as docs/install.md shows" {
    cmake -S tests/packaging/cmake -B "$BATS_TEST_TMPDIR" --log-level=ERROR
    cmake --build "$BATS_TEST_TMPDIR"
    run -0 "$BATS_TEST_TMPDIR/consumer"
    assert_output "$version $version"
    while read -r line; do
        echo "docs/install.md has: $line"
        grep -xF "$line" docs/install.md
    done < <(sed -n '/^find_package/p; /^pkg_check/p' tests/packaging/cmake/CMakeLists.txt)
}
