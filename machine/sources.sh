#!/bin/sh
# Unpacks the sources of Debian packages, with Debian's patches: machine/sources.sh FOLDER SUITE SOURCE...
#
# Needs no root; apt checks the signatures.
set -eu

folder=$1
suite=$2
shift 2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$("$(dirname "$0")/mirror.sh")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$folder"
echo "deb-src [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$work/lists" -o APT::Sandbox::User= "$@"
}
apt update
(cd "$folder" && apt source "$@" >"$work/log" 2>&1) || { tail "$work/log" >&2; exit 1; }
