#!/bin/sh
# A thread safe PHP (ZTS), which Debian does not have: machine/zts-php.sh prints the program.
#
# Built once from the sources of Debian 12's PHP, in .cache/zts, which takes about ten minutes of two cores.
set -eu
cd "$(dirname "$0")/.."
exec 3>&1 >&2

built=$PWD/.cache/zts
if [ ! -x "$built/bin/php" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    machine/sources.sh "$work" bookworm php8.2
    # FFI and sockets are separate extensions, as in Debian: some tests run without one of them.
    (
        cd "$work"/php8.2-*/
        ./buildconf --force
        ./configure -q --prefix="$built" --with-config-file-scan-dir="$built/ini" \
            --disable-all --enable-zts --enable-cli --disable-cgi --disable-phpdbg \
            --with-ffi=shared --enable-sockets=shared --with-openssl --with-zlib --with-curl --enable-pcntl --enable-posix \
            --with-libxml --enable-dom --enable-xml --enable-xmlwriter --enable-xmlreader \
            --enable-mbstring --enable-tokenizer --enable-ctype --enable-filter --enable-phar \
            --enable-opcache
        make -j"$(nproc)"
        make install
    ) >"$work/log" 2>&1 || { tail -n 20 "$work/log"; exit 1; }
    mkdir -p "$built/ini"
    printf '%s\n' extension=ffi extension=sockets zend_extension=opcache >"$built/ini/extensions.ini"
fi
"$built/bin/php" -r 'PHP_ZTS or exit(1);' || { echo "machine/zts-php.sh: $built/bin/php is not thread safe" >&2; exit 1; }
echo "$built/bin/php" >&3
