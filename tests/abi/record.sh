#!/usr/bin/env bash
# Adds to the ABI's record what is new in the header: make abi
set -eu
cd "$(dirname "$0")/../.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
record=tests/abi/${version%%.*}.txt
touch "$record"
new=$(LC_ALL=C comm -13 <(cut -d' ' -f2- "$record" | LC_ALL=C sort) <(tests/abi/describe.sh include/keepalive.h))
# shellcheck disable=SC2001 # each line
[ -z "$new" ] || sed "s/^/${version%.*} /" <<<"$new" >>"$record"
