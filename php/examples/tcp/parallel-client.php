<?php

/**
 * Several connections at once, each with keepalive while it is still being made.
 *
 *     php parallel-client.php [host:port ...]
 *
 * It says hello on each and prints what the servers send: stream-server.php in this folder is one.
 */

declare(strict_types=1);

use Keepalive\Keepalive;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$connecting = [];
foreach (array_slice($argv, 1) ?: array_fill(0, 3, '127.0.0.1:7007') as $number => $address) {
    $flags = STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT;
    $stream = stream_socket_client("tcp://$address", $errno, $message, 60, $flags) ?: exit(1);
    Keepalive::enable($stream, 60, 10, 6);
    stream_set_blocking($stream, false);
    $connecting["$number ($address)"] = $stream;
}

$open = [];
while ($connecting || $open) {
    [$readable, $writable, $none] = [$open, $connecting, null];
    stream_select($readable, $writable, $none, null);
    foreach ($writable as $name => $stream) {
        unset($connecting[$name]);
        if (stream_socket_get_name($stream, true) === false) {
            echo "$name: no connection\n";
            continue;
        }
        echo "$name: ", json_encode(Keepalive::settings($stream)), "\n";
        fwrite($stream, "hello\n");
        $open[$name] = $stream;
    }
    foreach ($readable as $name => $stream) {
        echo "$name: ", trim((string) fread($stream, 8192)), "\n";
        if (feof($stream)) {
            echo "$name: closed, or keepalive found the server gone\n";
            unset($open[$name]);
        }
    }
}
