<?php

/**
 * An echo server on streams: keepalive on the listener, inherited by every connection (on Linux).
 *
 *     php stream-server.php [address:port]
 *
 * `nc 127.0.0.1 7007` is a client for it. Ctrl-C ends it. A client that vanishes is found in two minutes.
 */

declare(strict_types=1);

use Keepalive\Keepalive;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$listener = stream_socket_server('tcp://' . ($argv[1] ?? '127.0.0.1:7007')) ?: exit(1); // PHP's warning says why
Keepalive::enable($listener, 60, 10, 6);
echo 'listening on ', stream_socket_get_name($listener, false), "\n";

$clients = [];
while (true) {
    [$readable, $none] = [$clients + ['listener' => $listener], null];
    stream_select($readable, $none, $none, null);
    foreach ($readable as $name => $stream) {
        if ($stream === $listener) {
            $client = stream_socket_accept($listener, -1, $name) ?: exit(1);
            echo "$name: ", json_encode(Keepalive::settings($client)), "\n";
            $clients[$name] = $client;
            continue;
        }
        $data = (string) fread($stream, 8192);
        fwrite($stream, $data);
        if ($data === '') {
            echo "$name: closed, or keepalive found the client gone\n";
            unset($clients[$name]);
        }
    }
}
