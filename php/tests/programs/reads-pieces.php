<?php

/** Reads a hundred pieces of 7 bytes from a stream that has keepalive. */

declare(strict_types=1);

use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:0');
$client = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));
$peer = stream_socket_accept($listener);
fwrite($peer, str_repeat("a line\n", 100));
Keepalive::enable($client);
Keepalive::settings($client);
for ($pieces = 0; $pieces < 100; $pieces++) {
    if (fread($client, 7) !== "a line\n") {
        exit(1);
    }
}
echo Keepalive::backend();
