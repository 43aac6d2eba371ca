#!/usr/bin/env bats
# make build: when it is up to date, its messages if a tool is missing, and without a network.

load ../shell

@test "make build is done after make build" { make -q build; }

# cargo build --release leaves a library where make build does, without LTO, and an rlib.
@test "make build does not take what cargo built for its own" {
    local made=$BATS_TEST_TMPDIR/release
    mkdir "$made"
    touch "$made/libkeepalive.so"
    run -1 make -q build BUILD="$BATS_TEST_TMPDIR" # not all there is
    touch "$made"/{libkeepalive.a,native-static-libs,libkeepalive-preload.so}
    make -q build BUILD="$BATS_TEST_TMPDIR"
    touch "$made/libkeepalive.rlib"
    run -1 make -q build BUILD="$BATS_TEST_TMPDIR" # cargo was here afterwards
}

@test "make build, cargo build, make build: the same library" {
    mkdir "$BATS_TEST_TMPDIR/release"
    cp -a target/release/. "$BATS_TEST_TMPDIR/release"
    cargo build --quiet --locked --release --target-dir "$BATS_TEST_TMPDIR"
    make -s build BUILD="$BATS_TEST_TMPDIR"
    assert_equal "$(stat -c %s "$BATS_TEST_TMPDIR/release/libkeepalive.so")" "$(stat -c %s "$LIBRARY")"
}

# On a machine that has only these; make's variables.
missing() {
    for tool in sh make sed head uname; do ln -s "$(command -v $tool)" "$BATS_TEST_TMPDIR"; done
    PATH=$BATS_TEST_TMPDIR run make -s --no-print-directory build BUILD="$BATS_TEST_TMPDIR/nothing" "$@"
}

@test "make build without cargo says so" {
    missing
    assert_output --regexp '^cargo is missing\.'
}

# rustc links with cc; another compiler's name does not help it.
@test "make build without a C compiler says so, also if cargo has an argument" {
    ln -s "$(command -v true)" "$BATS_TEST_TMPDIR/gcc"
    missing CARGO="$(command -v cargo) +stable"
    assert_output --regexp '^cc is missing,'
}

@test "make build builds for the target that cargo's or make's variable names, without a linker of its own" {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    CARGO_BUILD_TARGET=$host make -s build BUILD="$BATS_TEST_TMPDIR"
    TARGET=$host make -q build BUILD="$BATS_TEST_TMPDIR"
    [ -f "$BATS_TEST_TMPDIR/$host/release/libkeepalive-preload.so" ]
}

@test "what cargo vendor has fetched, as docs/install.md says, is enough for make build" {
    local copy=$BATS_TEST_TMPDIR/copy
    mkdir "$copy"
    git ls-files -z | tar --null -T - -cf - | tar -C "$copy" -xf -
    # shellcheck disable=SC2016 # Markdown's
    (cd "$copy" && eval "$(sed -n '/^mkdir -p .cargo$/,/^```$/{/^```/!p}' docs/install.md)")
    env CARGO_HOME="$BATS_TEST_TMPDIR/cargo-home" CARGO_NET_OFFLINE=true make -s -C "$copy" build
    # What only the headers need is not built, and nothing was fetched.
    assert_equal "$(find "$copy/target" -name '*cbindgen*' | wc -l)" 0
    assert_equal "$(find "$BATS_TEST_TMPDIR/cargo-home" -path '*/registry/*')" ""
}
