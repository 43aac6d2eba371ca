#!/bin/sh
# Has rustup install Rust's standard library for other platforms: machine/rust-target.sh RUSTC'S-NAME...
set -eu
if ! command -v rustup >/dev/null; then
    echo "machine/rust-target.sh: Rust's library for $* is missing. Only rustup has it, and rustup is missing too" \
        "(Debian's Rust is for the machine's own platform)." >&2
    exit 1
fi
rustup target add "$@"
