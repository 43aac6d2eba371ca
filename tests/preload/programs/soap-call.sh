#!/bin/sh
# Two SOAP calls side by side through a NAT that forgets connections after 3 s, to be run by `lab/hosts run`. Each is
# answered after 6 s, and each client waits up to 9 s. One has the object, which the variable OBJECT names.
set -eu
here=$(dirname "$0")
hosts=$here/../../../lab/hosts
server=192.0.2.2 # the far host

"$hosts" nat 3

call() { # with or without, port
    "$hosts" far php "$here/slow-soap-server.php" "$server:$2" 6 >"/run/server-$2" &
    until grep -qs ready "/run/server-$2"; do sleep 0.05; done
    if [ "$1" = with ]; then export LD_PRELOAD="$OBJECT" LIBKEEPALIVE=within=6; fi
    echo "$1: $(php "$here/soap-client.php" "http://$server:$2/" 9)"
}

call with 80 &
call without 81 &
wait
