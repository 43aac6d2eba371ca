#!/bin/sh
# Unpacks the sources of Debian packages, with Debian's patches: machine/sources.sh FOLDER SUITE SOURCE...
set -eu
# shellcheck source=machine/apt.sh
. "$(dirname "$0")/apt.sh"

folder=$1
apt_for deb-src "$2" "$(dpkg --print-architecture)"
shift 2
mkdir -p "$folder"
(cd "$folder" && apt-get -qq source "$@" >"$work/log" 2>&1) || { tail "$work/log" >&2; exit 1; }
