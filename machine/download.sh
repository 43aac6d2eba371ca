#!/bin/sh
# Downloads packages of any Debian, for any architecture, into a folder:
# machine/download.sh FOLDER SUITE ARCHITECTURE PACKAGE...
#
# Needs no root; apt checks the signatures. FOLLOW is an extended regular expression of names: a package's dependencies
# are downloaded too if their name matches.
set -eu

folder=$1
suite=$2
architecture=$3
shift 3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$("$(dirname "$0")/mirror.sh")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$folder"
: >"$work/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
# The lists expire after some days; a mirror, or a copy of one, may be older.
cat >"$work/apt.conf" <<END
APT::Architecture "$architecture";
APT::Architectures "$architecture";
APT::Sandbox::User "";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::status "$work/status";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
END
export APT_CONFIG="$work/apt.conf"
apt-get -qq update
if [ -n "${FOLLOW-}" ]; then
    # shellcheck disable=SC2046 # words on purpose
    set -- "$@" $(apt-cache depends --recurse --important "$@" | grep -E "^($FOLLOW)" | sort -u)
fi
(cd "$folder" && apt-get -qq download "$@")
