#!/bin/sh
# Unpacks the C library of Debian 11, for amd64 and arm64 also musl, and its compiler's libgcc, into a
# folder: machine/sysroot.sh FOLDER ARCHITECTURE
# Programs linked against it run on Debian 11 and newer; linked against this machine's C library, they would need one at
# least as new. Needs no root; apt checks the signatures.
set -eu

folder=$1
architecture=$2

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d -p "$(dirname "$folder")")
trap 'rm -rf "$work"' EXIT
suite=bullseye gcc=10 musl=
case $architecture in
    amd64 | arm64) musl="musl musl-dev" ;;
    s390x) suite=bookworm gcc=12 ;; # the oldest that Debian still has for it
esac
# shellcheck disable=SC2086 # words on purpose
"$(dirname "$0")/unpack.sh" "$work/root" $suite "$architecture" \
    libc6 libc6-dev linux-libc-dev libgcc-s1 libgcc-$gcc-dev $musl
# Absolute links, to /lib for example, have to lead to the same path inside the folder.
find "$work/root" -type l | while read -r link; do
    target=$(readlink "$link")
    case $target in /*) ln -sfrT "$work/root$target" "$link" ;; esac
done
# Libraries linked against musl include the unwinder, so that they need only musl's libc. It is Debian 11's, because
# since GCC 12 Debian's unwinder calls a function that only glibc has (_dl_find_object).
if [ -n "$musl" ]; then
    libraries=$(dirname "$work"/root/usr/lib/*-linux-musl/libc.a)
    cp "$work"/root/usr/lib/gcc/*/10/libgcc.a "$work"/root/usr/lib/gcc/*/10/libgcc_eh.a "$libraries"
    echo "INPUT(libgcc_eh.a libgcc.a)" >"$libraries/libgcc_s.so"
fi
rm -rf "$folder"
mv "$work/root" "$folder"
