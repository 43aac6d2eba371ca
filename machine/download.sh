#!/bin/sh
# Downloads packages of any Debian, for any architecture, into a folder:
# machine/download.sh FOLDER SUITE ARCHITECTURE PACKAGE...
#
# FOLLOW is an extended regular expression of names: a package's dependencies are downloaded too if their name matches.
set -eu
# shellcheck source=machine/apt.sh
. "$(dirname "$0")/apt.sh"

folder=$1
apt_for deb "$2" "$3"
shift 3
if [ -n "${FOLLOW-}" ]; then
    # shellcheck disable=SC2046 # words on purpose
    set -- "$@" $(apt-cache depends --recurse --important "$@" | grep -E "^($FOLLOW)" | sort -u)
fi
mkdir -p "$folder"
(cd "$folder" && apt-get -qq download "$@")
