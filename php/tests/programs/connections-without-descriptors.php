<?php

/** Looks up a host name, first with free descriptors and then without. */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:0');
$address = 'localhost:' . explode(':', stream_socket_get_name($listener, false))[1];
$client = stream_socket_client("tcp://$address");
echo Keepalive::enableConnectionsTo($address), "\n";
$files = [];
while ($file = @fopen('/dev/null', 'r')) {
    $files[] = $file;
}
try {
    Keepalive::enableConnectionsTo($address);
} catch (SocketException $exception) {
    echo $exception->getCode(), ' ', $exception->getMessage();
}
