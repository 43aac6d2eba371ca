#!/bin/sh
# Prints the address of the Debian mirror that this machine's apt uses, or $DEBIAN_MIRROR where it is set.
set -eu
# shellcheck disable=SC2016 # apt's own variable
mirror=${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Origin: Debian' \
    'Label: Debian' | head -n 1)}
if [ -z "$mirror" ]; then
    echo "machine/mirror.sh: apt's lists on this machine name no Debian mirror (apt-get update makes them):" \
        "set DEBIAN_MIRROR to the address of one" >&2
    exit 1
fi
echo "$mirror"
