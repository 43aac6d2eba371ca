#!/usr/bin/env bash
# Runs shell tests by bats, and counts them in the last line: tests/bats.sh [bats' options] FILE.bats...
set -eu -o pipefail
# No test skips: one that did not run is a failure.
bats --tap "$@" | awk '
    { print; fflush() }
    /^ok / && !/ # skip/ { passed++ }
    /^not ok / || / # skip/ { failed++ }
    END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }'
