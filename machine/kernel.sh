#!/bin/sh
# A kernel of Debian, and its busybox: machine/kernel.sh SUITE ARCHITECTURE PACKAGE prints the folder, which is kept.
# PACKAGE is the one that depends on that architecture's newest kernel.
set -eu
cd "$(dirname "$0")/.."

folder=.cache/kernels/$1-$2
if [ ! -d "$folder" ]; then
    rm -rf "$folder.new"
    FOLLOW='linux-(image|binary|modules)-[0-9]' machine/unpack.sh "$folder.new" "$1" "$2" "$3" busybox-static >&2
    mv "$folder.new" "$folder"
fi
echo "$folder"
