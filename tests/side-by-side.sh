#!/usr/bin/env bash
# Runs make targets in several rows side by side, each row in its order: tests/side-by-side.sh "A B" "C D"
#
# The rows after the first yield to it (nice). What a target prints is shown when it has ended. A failure does not stop
# the others; the last lines are the targets with their times.
set -u
cd "$(dirname "$0")/.." || exit 1

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

row() { # a command before make, or nothing; targets
    local before=$1 target start took
    shift
    for target; do
        start=$SECONDS
        $before "${MAKE:-make}" --no-print-directory "$target" >"$temporary/$target" 2>&1 </dev/null
        echo $? >"$temporary/$target.status"
        took=$((SECONDS - start))
        (
            flock 9 # one at a time
            printf '\n== make %s\n' "$target"
            cat "$temporary/$target"
            how=passed
            [ "$(cat "$temporary/$target.status")" -eq 0 ] || how=FAILED
            printf '%-6s  %2d min %02d s  make %s\n' "$how" $((took / 60)) $((took % 60)) "$target" >>"$temporary/times"
        ) 9>"$temporary/lock"
    done
}

before=
for targets; do
    # shellcheck disable=SC2086 # words on purpose
    row "$before" $targets &
    before='nice'
done
wait

printf '\n'
cat "$temporary/times"
failed=$(grep -c ^FAILED "$temporary/times")
printf '%d passed, %d failed, in %d min\n' $(($(wc -l <"$temporary/times") - failed)) "$failed" $(((SECONDS + 30) / 60))
[ "$failed" -eq 0 ]
