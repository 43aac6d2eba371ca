#!/bin/sh
# Two SOAP calls through nat's router, side by side, each answered after 6 s and waited for for 9 s: one
# client with the object, which the variable OBJECT names, one without.
set -eu
here=$(dirname "$0")

call() { # with or without, port
    nsenter --net=/run/netns/far php "$here/slow-soap-server.php" "203.0.113.1:$2" 6 >"/run/server-$2" &
    until grep -qs ready "/run/server-$2"; do sleep 0.05; done
    if [ "$1" = with ]; then export LD_PRELOAD="$OBJECT" LIBKEEPALIVE=within=6; fi
    echo "$1: $(php "$here/soap-client.php" "http://203.0.113.1:$2/" 9)"
}

call with 80 &
call without 81 &
wait
