#!/bin/sh
# Another Debian release, in a folder: machine/debian-root.sh NAME [PACKAGE...] prints the folder.
# NAME is a suite. For another root of the same suite, more words follow it, as in sid-php8.6. The last word may be an
# architecture: i386, which this machine runs too, or arm64, which runs only under machine/with-arm64.sh. In sid,
# PACKAGE may also be one that only experimental has. The folder is made once by debootstrap and kept in
# .cache/debian/NAME with the packages asked for so far. Copy it before changing anything in it. Needs root.
set -eu
cd "$(dirname "$0")/.."

name=$1
suite=${name%%-*}
shift
root=$PWD/.cache/debian/$name
if [ "$(id -u)" -ne 0 ]; then
    echo "machine/debian-root.sh: debootstrap and chroot need root" >&2
    exit 1
fi
exec 3>&1 >&2

mkdir -p .cache/debian
# Cargo searches the whole repository, except folders with a Cargo.toml of their own. This file keeps it out of the
# roots, and so out of their /proc and /dev.
: >.cache/Cargo.toml
exec 9>".cache/debian/$name.lock"
flock 9

if [ ! -d "$root" ]; then
    mirror=$(machine/mirror.sh)
    echo "Making a Debian $suite in $root"
    case $name in *-i386 | *-arm64) architecture=${name##*-} ;; *) architecture=$(dpkg --print-architecture) ;; esac
    # One of a hundred downloads may fail, and debootstrap tries each only once.
    for turn in 1 2 3; do
        rm -rf "$root.new"
        debootstrap --variant=minbase --arch="$architecture" "$suite" "$root.new" "$mirror" >"$root.log" && break
        tail -n 5 "$root.log"
        [ "$turn" -lt 3 ] || exit 1
    done
    # Debian 11's apt tries each download only once, too.
    echo 'Acquire::Retries "5";' >"$root.new/etc/apt/apt.conf.d/retries"
    # Without this, packages would start their servers, or fail to start them.
    printf '#!/bin/sh\nexit 101\n' >"$root.new/usr/sbin/policy-rc.d"
    chmod +x "$root.new/usr/sbin/policy-rc.d"
    if [ "$suite" = sid ]; then
        echo "deb $mirror experimental main" >"$root.new/etc/apt/sources.list.d/experimental.list"
        # Their lists expire after some days; a mirror, or a copy of one, may be older.
        echo 'Acquire::Check-Valid-Until "false";' >"$root.new/etc/apt/apt.conf.d/old-lists"
    fi
    mv "$root.new" "$root"
fi

# shellcheck disable=SC2016 # dpkg-query's own variable
installed=$(chroot "$root" dpkg-query -W -f '${Status}\n' "$@" 2>/dev/null | grep -c '^install ok installed$' || true)
if [ "$installed" -ne $# ]; then
    chroot "$root" apt-get -qq update
    chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        install "$@" >"$root.log" 2>&1 || { tail -n 5 "$root.log"; exit 1; }
fi
echo "$root" >&3
