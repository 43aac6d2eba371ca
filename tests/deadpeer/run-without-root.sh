#!/bin/sh
# Plays cases as a user without any privilege: tests/deadpeer/run-without-root.sh NAME...
#
# As root it does so in a copy that user nobody can read; this checkout may be in a folder that nobody cannot.
set -eu
cd "$(dirname "$0")/../.."
[ "$(id -u)" -eq 0 ] || exec tests/deadpeer/run.php "$@"

copy=$(mktemp -d)
trap 'rm -r "$copy"' EXIT
cp -r --parents tests/deadpeer lab php include docs target/release/libkeepalive.so "$copy"
mkdir "$copy/output"
chown nobody "$copy/output"
chmod -R a+rX "$copy"
setpriv --reuid nobody --regid nogroup --clear-groups --bounding-set=-all --no-new-privs \
    env DEADPEER_OUTPUT="$copy/output" "$copy/tests/deadpeer/run.php" "$@"
