#!/bin/sh
# Runs PHP tests with a PHP on musl, and with the library that a release has for musl: tests/matrix/musl.sh
#
# Left out are tests of TLS, of other extensions that this PHP does not have or cannot leave out, of programs that are
# linked against this machine's C library, and two that expect glibc's resolver.
set -eu
cd "$(dirname "$0")/../.."

chosen='Address|ChildProcesses|Disagreement|Enable|EnableConnectionsTo|LifeOfAProcess|List|Mptcp|Refusal|Set|Settings'
chosen="$chosen|SocketsCost|StreamsAreLeftAlone|SystemCalls|TryToEnableConnectionsTo|UrlStreams|Values|Watch"
others='TLS|Tls|https|StatusToo|curl|HostsFileHas|NothingButAHostName|MoreSocketsThanTheTerminal|WithoutExtSockets'

php=$(machine/musl-php.sh)
KEEPALIVE_LIBRARY=$PWD/target/debian11/$(uname -m)-unknown-linux-musl/release/libkeepalive.so
export KEEPALIVE_LIBRARY
"$php" -r 'printf("This is PHP %s, on musl\n", PHP_VERSION);'
"$php" php/bin/keepalive doctor | grep -o 'Everything works in this PHP'
exec "$php" "$(command -v phpunit)" --exclude-group clock --filter "/^(?!.*($others)).*\\\\($chosen)Test::/"
