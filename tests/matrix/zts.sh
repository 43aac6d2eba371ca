#!/bin/sh
# Runs the PHP tests with a thread safe PHP: tests/matrix/zts.sh [phpunit's arguments]
set -eu
cd "$(dirname "$0")/../.."

php=$(machine/zts-php.sh)
"$php" -r 'printf("This is PHP %s, thread safe\n", PHP_VERSION);'
# Web servers, and Composer, stay Debian's.
exec "$php" "$(command -v phpunit)" --exclude-group once "$@"
