#!/bin/sh
# A PHP on musl, which Debian does not have: machine/musl-php.sh prints the program.
#
# Built once from Debian 12's sources of PHP, libffi and libxml2, in .cache/musl, which takes about ten minutes of two
# cores. It has no OpenSSL.
set -eu
cd "$(dirname "$0")/.."
exec 3>&1 >&2

built=$PWD/.cache/musl
if [ ! -x "$built/bin/php" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    machine/sources.sh "$work" bookworm libffi libxml2 php8.2
    # musl-gcc looks in musl's own folders only; the kernel's headers are the same for both.
    mkdir "$work/kernel"
    for headers in linux asm asm-generic; do
        ln -s "$(find /usr/include /usr/include/*-linux-gnu -maxdepth 1 -name $headers | head -n 1)" "$work/kernel/"
    done
    export CC="musl-gcc -idirafter $work/kernel" PKG_CONFIG_LIBDIR="$built/lib/pkgconfig"
    MAKEFLAGS="-s -j$(nproc)"
    export MAKEFLAGS
    # Debian's patches leave generated files of autotools older than their sources. They need no update, so these
    # variables keep make from running autotools.
    as_it_is="ACLOCAL=: AUTOCONF=: AUTOHEADER=: AUTOMAKE=:"
    sh -eu >"$work/log" 2>&1 <<END || { tail -n 20 "$work/log"; exit 1; }
cd "$work"/libffi-*/
./configure -q --prefix="$built" --disable-shared --with-pic --disable-docs --disable-multi-os-directory
make $as_it_is install
cd "$work"/libxml2-*/
./configure -q --prefix="$built" --disable-shared --with-pic --without-python --without-lzma \
    --without-zlib --without-icu
make $as_it_is install
cd "$work"/php8.2-*/
./buildconf --force
./configure -q --prefix="$built" --disable-all --enable-cli --disable-cgi --disable-phpdbg \
    --with-ffi --enable-sockets --enable-pcntl --enable-posix \
    --with-libxml --enable-dom --enable-xml --enable-xmlwriter --enable-xmlreader \
    --enable-mbstring --disable-mbregex --enable-tokenizer --enable-ctype --enable-filter --enable-phar
make
make install
END
fi
grep -q ld-musl "$built/bin/php" || { echo "machine/musl-php.sh: $built/bin/php is not linked against musl" >&2; exit 1; }
echo "$built/bin/php" >&3
