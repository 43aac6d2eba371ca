#!/bin/sh
# Unpacks the C libraries of Debian 11, glibc and musl, and its compiler's libgcc, into a folder:
# machine/sysroot.sh FOLDER ARCHITECTURE
#
# What is linked against that runs on Debian 11 and everything newer, where this machine's own C
# library would ask for its own age. Needs no root; apt checks the signatures.
set -eu

suite=bullseye
folder=$1
architecture=$2
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$("$(dirname "$0")/mirror.sh")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
: >"$work/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
apt() {
    apt-get -qq -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::status="$work/status" -o Dir::State::lists="$work/lists" \
        -o Dir::Cache="$work/cache" -o APT::Sandbox::User= "$@"
}
apt update
(cd "$work" && apt download libc6 libc6-dev linux-libc-dev libgcc-s1 libgcc-10-dev musl musl-dev)
for package in "$work"/*.deb; do
    dpkg-deb -x "$package" "$work/root"
done
# Links that say /lib mean the lib of the folder.
find "$work/root" -type l | while read -r link; do
    target=$(readlink "$link")
    case $target in /*) ln -sfrT "$work/root$target" "$link" ;; esac
done
# What is linked against musl takes the unwinder in, so that it needs nothing but musl's libc. It is
# Debian 11's, because since GCC 12 Debian's calls a function that only glibc has (_dl_find_object).
musl=$(dirname "$work"/root/usr/lib/*-linux-musl/libc.a)
cp "$work"/root/usr/lib/gcc/*/10/libgcc.a "$work"/root/usr/lib/gcc/*/10/libgcc_eh.a "$musl"
echo "INPUT(libgcc_eh.a libgcc.a)" >"$musl/libgcc_s.so"
mkdir -p "$(dirname "$folder")"
rm -rf "$folder"
mv "$work/root" "$folder"
