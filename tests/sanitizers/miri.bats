#!/usr/bin/env bats
# Miri interprets Rust and finds undefined behaviour, but knows few system calls: these tests it can run.
# It comes with nightly toolchains only: rustup toolchain install nightly --component miri

load ../shell

miri() {
    MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test --quiet --locked --target-dir target/miri "$@"
}

@test "Miri: texts" { miri --test texts; }
@test "Miri: refusals" { miri --test options a_refused_value; }
@test "Miri: pointers" { miri --test options get_without_a_place; }
@test "Miri: ka_apply without settings" { miri --test apply without_settings; }
@test "Miri: ka_detect_within" { miri --test promise out_of_range; }
@test "Miri: pointers of ka_status" { miri --test liveness without_a_place; }
