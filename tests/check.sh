# Counts checks for the shell test runners, which source it.
# shellcheck shell=bash
passed=0
failed=0

pass() { passed=$((passed + 1)); }

fail() { # what, and what was seen
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$1"
    printf '%s\n' "${2-}" | sed 's/^/    /'
}

check() { # what, command...: it succeeds
    local what=$1 said
    shift
    if said=$("$@" 2>&1); then pass; else fail "$what" "$* gave $?: $said"; fi
}

fails() { # what, command...: it fails
    local what=$1 said
    shift
    if said=$("$@" 2>&1); then fail "$what" "$* succeeded: $said"; else pass; fi
}

same() { # what, expected, actual
    if [ "$2" = "$3" ]; then pass; else fail "$1" "expected: $2"$'\n'"    actual: $3"; fi
}

summary() { # the last line, and the exit status
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
