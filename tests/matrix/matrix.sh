#!/usr/bin/env bash
# Runs the PHP tests with the PHP of Debian 11, 12 and 13, and with those that experimental has for sid,
# each once plain and once with OPcache and its JIT: tests/matrix/matrix.sh [ROOT...], as machine/debian-root.sh names them
#
# tests/matrix/matrix.sh --roots only makes the folders, which takes minutes on a new machine.
#
# Needs root for the folders that machine/debian-root.sh keeps, and target/debian11, which must run on all
# of them. Three run at a time, because most tests wait more than they compute. The table is
# docs/php-versions.md's; the last line counts all tests. make test-machines runs it in a 32-bit Debian.
set -eu
cd "$(dirname "$0")/../.."

only_roots=
[ "${1-}" != --roots ] || { only_roots=yes; shift; }
[ $# -gt 0 ] || set -- bullseye bookworm trixie sid-php8.5 sid-php8.6
packages="php-cli php-curl php-xml php-mbstring php-intl php-fpm libapache2-mod-php libfcgi-bin phpunit composer
    openssl strace netcat-openbsd iproute2 nftables tcpdump util-linux bsdutils libkeepalive0 gcc libc6-dev libcap2-bin
    musl-tools"

# The version is part of the name where a suite has several: php-cli would be the suite's own.
version_of() { case $1 in sid-php*) echo "${1#sid-php}" ;; esac; }
build_of() { case $1 in *-i386) echo target/debian11/i686-unknown-linux-gnu ;; *) echo target/debian11 ;; esac; }
packages_of() { echo "$packages" | sed "s/php-/php$(version_of "$1")-/g; s/mod-php/&$(version_of "$1")/"; }

if [ "$(id -u)" -ne 0 ]; then
    echo "tests/matrix/matrix.sh: NOT RUN: other PHP versions need root, for debootstrap and mount." >&2
    exit 1
fi
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# The result of the tests with a release's PHP, in a file: the repository and the library that runs on all
# of them, in a root, network and process tree of their own. Nothing in the folder is changed.
run() { # folder, plain or jit, file, build
    BUILD=$4 unshare --mount --net --pid --fork --kill-child machine/in-debian-root.sh "$1" tests/matrix/phpunit.sh "$2" >"$3" 2>&1 </dev/null
}

for name; do
    # shellcheck disable=SC2046 # words on purpose
    machine/debian-root.sh "$name" $(packages_of "$name") >"$results/$name" &
done
wait
[ -z "$only_roots" ] || exit 0

running=0
for mode in plain jit; do
    for name; do
        said=$results/$name-$mode
        root=$(cat "$results/$name")
        if [ -z "$root" ]; then
            echo "There is no Debian to run in: the reason is above, and in .cache/debian/$name.log." >"$said"
            continue
        fi
        [ "$running" -lt 3 ] || wait -n || true
        (run "$root" "$mode" "$said" "$(build_of "$name")" && : >"$said.passed") &
        running=$((running + 1))
    done
done
wait

passed=0
failed=0
table=
for name; do
    for mode in plain jit; do
        said=$results/$name-$mode
        php=$(sed -n 's/^This is \(.*\)$/\1/p' "$said")
        count=$(sed -n -e 's/^OK (\([0-9]*\) tests.*/\1/p' -e 's/^Tests: \([0-9]*\),.*/\1/p' "$said" | tail -n 1)
        bad=$(sed -n 's/^Tests: [0-9]*,//p' "$said" | grep -oE '(Errors|Failures|Warnings|Skipped|Incomplete|Risky): [0-9]+' |
            awk '{ sum += $2 } END { print sum + 0 }')
        case $php in "PHP $(version_of "$name")"*) ;; *) echo "This was to be another PHP." >>"$said"; php= ;; esac
        if [ ! -e "$said.passed" ] || [ -z "$count" ] || [ -z "$php" ]; then
            [ "$bad" -gt 0 ] || bad=1
            echo "FAILED on Debian $name, $mode:"
            sed 's/^/    /' "$said"
        fi
        count=${count:-0}
        [ "$count" -ge "$bad" ] || count=$bad
        passed=$((passed + count - bad))
        failed=$((failed + bad))
        table="$table| $name | ${php:-?} | $((count - bad)) passed, $bad failed |"$'\n'
    done
done
printf '\n%s\n%s\n%s\n' '| Debian | PHP | the PHP tests |' '| --- | --- | --- |' "$table"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
