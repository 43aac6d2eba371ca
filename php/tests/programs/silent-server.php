<?php

/** Listens on the addresses in its arguments, accepts, and says nothing more than "ready". */

declare(strict_types=1);

$listeners = $accepted = [];
foreach (array_slice($argv, 1) as $address) {
    $listeners[] = stream_socket_server("tcp://$address");
}
echo "ready\n";
while (true) {
    $readable = $listeners;
    $none = null;
    stream_select($readable, $none, $none, null);
    foreach ($readable as $listener) {
        $accepted[] = stream_socket_accept($listener);
    }
}
