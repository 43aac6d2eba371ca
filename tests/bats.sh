#!/usr/bin/env bash
# Runs shell tests by bats, and counts them in the last line: tests/bats.sh [bats' options] FILE.bats...
set -eu -o pipefail

# A test may call make, which runs tests: bats starts without this one's variables there.
[ -z "${BATS_LIBEXEC-}" ] || PATH=${PATH//"$BATS_LIBEXEC:"/}
unset "${!BATS_@}"

bats --tap "$@" | "$(dirname "$0")/count.sh"
