<?php

/**
 * The server of watched.php, on the far host: keeps connections open, but those to port 7001 until a line comes from
 * standard input.
 */

declare(strict_types=1);

$listeners = [];
$none = null;
foreach (['192.0.2.2', '[2001:db8::2]'] as $host) {
    $listeners[] = stream_socket_server("tcp://$host:7000");
    $listeners[] = stream_socket_server("tcp://$host:7001");
}
echo "ready\n";
$accepted = [];
while (true) {
    $readable = array_merge($listeners, [STDIN]);
    stream_select($readable, $none, $none, null);
    foreach ($readable as $listener) {
        if ($listener === STDIN) {
            if (fgets(STDIN) === false) {
                exit;
            }
            $accepted = [];
            continue;
        }
        $stream = stream_socket_accept($listener);
        if (substr(stream_socket_get_name($listener, false), -4) === '7001') {
            $accepted[] = $stream;
        } else {
            $kept[] = $stream;
        }
        unset($stream);
    }
}
