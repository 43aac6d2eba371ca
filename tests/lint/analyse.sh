#!/bin/sh
# Checks the types of the PHP code by mago, as tests/lint/mago.toml says. Arguments are mago's: tests/lint/analyse.sh --help
#
# mago is a crate, and cargo compiles it into .cache the first time: half an hour on two cores, Rust 1.95 or newer.
set -eu
cd "$(dirname "$0")/../.."

version=1.29.0
folder=.cache/mago-$version
if [ ! -x "$folder/bin/mago" ]; then
    echo "Compiling mago $version, once; this takes up to half an hour."
    cargo install --quiet --locked --root "$folder" --version "$version" mago
fi
"$folder/bin/mago" --workspace "$PWD" --config tests/lint/mago.toml analyze "$@"
