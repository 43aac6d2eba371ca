#!/usr/bin/env bats
# Compares the ABI with what was recorded for this major version in tests/abi/MAJOR.txt, whose lines
# begin with the version that brought them.
#
# What is recorded must stay as it is until the next major version: see docs/abi.md.

load ../shell

setup() {
    version=$(version)
    record=tests/abi/${version%%.*}.txt
}

recorded() { cut -d' ' -f2- "$record" | LC_ALL=C sort; }
lost() { LC_ALL=C comm -23 <(recorded) <(tests/abi/describe.sh "$1"); }
new() { LC_ALL=C comm -13 <(recorded) <(tests/abi/describe.sh "$1"); }

@test "what this major version promised is unchanged (if on purpose: a new major version)" {
    assert_equal "$(lost include/keepalive.h)" ""
}

@test "everything is recorded (if it is new: a new minor version, and make abi)" {
    assert_equal "$(new include/keepalive.h)" ""
}

@test "nothing is recorded for a version to come" {
    assert_equal "$(cut -d' ' -f1 "$record" | sort -uV | sed "1,/^${version%.*}\$/d")" ""
}

@test "the recorded functions are those of tests/abi/exports.txt, which the library is compared with" {
    assert_equal "$(sed -n 's/.*function .*[ *]\(ka_[a-z_]*\)(.*/\1/p' "$record" | sort)" "$(sort tests/abi/exports.txt)"
}

# The tests above really find such changes.

changed() { # sed's script for the header, what must be lost, what must be new
    sed "$1" include/keepalive.h >"$BATS_TEST_TMPDIR/keepalive.h"
    assert_equal "$(lost "$BATS_TEST_TMPDIR/keepalive.h")" "$2"
    assert_equal "$(new "$BATS_TEST_TMPDIR/keepalive.h")" "$3"
}

@test "noticed: a function goes" {
    changed '/^int ka_get(/d' "function int ka_get(int, struct ka_settings *);" ""
}

@test "noticed: a parameter changes" {
    changed 's/^int ka_disable(int fd);/int ka_disable(long fd);/' \
        "function int ka_disable(int);" "function int ka_disable(long);"
}

@test "noticed: a member is added" {
    changed 's/^    int rtt_us;/&\n    int more;/' \
        "struct ka_liveness size 24" $'struct ka_liveness more int offset 24 size 4\nstruct ka_liveness size 28'
}

@test "noticed: two members change places" {
    changed 's/^    int idle;/    int intvl_;/; s/^    int intvl;/    int idle;/; s/intvl_;/intvl;/' \
        $'struct ka_settings idle int offset 4 size 4\nstruct ka_settings intvl int offset 8 size 4' \
        $'struct ka_settings idle int offset 8 size 4\nstruct ka_settings intvl int offset 4 size 4'
}

@test "noticed: a constant changes" {
    changed 's/KA_UNCHANGED -1/KA_UNCHANGED -2/' "constant KA_UNCHANGED -1" "constant KA_UNCHANGED -2"
}
