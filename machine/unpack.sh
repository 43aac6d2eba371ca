#!/bin/sh
# Unpacks packages of any Debian, for any architecture, into a folder, and installs nothing:
# machine/unpack.sh FOLDER SUITE ARCHITECTURE PACKAGE...
#
# machine/download.sh downloads them, and explains FOLLOW.
set -eu

folder=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$(dirname "$0")/download.sh" "$work" "$@"
mkdir -p "$folder"
for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$folder"
done
