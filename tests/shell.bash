# What the shell tests share. Each .bats file loads it, and then is at the top of the repository.
# shellcheck shell=bash
bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

cd "$(dirname "${BASH_SOURCE[0]}")/.." || return 1
export LIBRARY=${LIBRARY:-target/release/libkeepalive.so}

version() { sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1; }

# In setup_file: the library by the names that linkers and the loader look for.
name_library() {
    [ -f "$LIBRARY" ] || fail "$LIBRARY is missing: run \`make build\`"
    ln -s "$(realpath "$LIBRARY")" "$BATS_FILE_TMPDIR/libkeepalive.so"
    ln -s libkeepalive.so "$BATS_FILE_TMPDIR/libkeepalive.so.1"
}

compile() { "$@" -Wall -Wextra -Wpedantic -Werror -Iinclude; } # a compiler, its flags, files

# The same, linked with -lkeepalive as users do.
compile_and_link() { compile "$@" -L"$BATS_FILE_TMPDIR" -lkeepalive -Wl,-rpath,"$BATS_FILE_TMPDIR"; }

# Says something beside the results of the tests.
note() { printf '# %s\n' "$@" >&3; }
