#!/bin/sh
# The part of tests/matrix/matrix.sh that runs in the other Debian: tests/matrix/phpunit.sh plain|jit
set -eu

mode=$1
shift
if [ "$mode" = jit ]; then
    # Also for every PHP that the tests start; the empty name is PHP's default, Debian's own folder.
    mkdir /tmp/ini
    printf '%s\n' opcache.enable_cli=1 opcache.jit=tracing opcache.jit_buffer_size=32M >/tmp/ini/jit.ini
    export PHP_INI_SCAN_DIR=:/tmp/ini
fi
# PHP before 8.0 has no JIT; there OPcache is on.
# shellcheck disable=SC2016 # PHP's own variables
php -r '
    $status = function_exists("opcache_get_status") ? opcache_get_status(false) : false;
    $jit = $status["jit"]["on"] ?? false;
    if ($argv[1] === "jit" && ($status === false || ($jit === false && PHP_VERSION_ID >= 80000))) {
        exit("OPcache or its JIT is not on.\n");
    }
    printf("This is PHP %s%s\n", PHP_VERSION, $jit ? " with JIT" : ($status ? " with OPcache" : ""));
' "$mode"
# The group once needs a machine for itself: `make demo`, which builds, and what compares tenths of seconds. It is part
# of the group program, which runs PHP programs that end before the JIT has compiled anything. One group only, because
# no way to name two works in PHPUnit 9, 11 and 13.
case $mode in jit) without=program ;; *) without=once ;; esac
exec phpunit --exclude-group "$without" "$@"
