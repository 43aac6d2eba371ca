<?php

/** Connects to its own listener, by the host in the argument, without a free descriptor. */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:0');
$address = "tcp://$argv[1]:" . explode(':', stream_socket_get_name($listener, false))[1];
$first = Keepalive::connect($address);
$files = [];
while ($file = @fopen('/dev/null', 'r')) {
    $files[] = $file;
}
try {
    Keepalive::connect($address);
} catch (SocketException $exception) {
    echo $exception->getCode(), ' ', str_replace($address, '...', $exception->getMessage()), "\n";
}
array_pop($files);
echo get_resource_type(Keepalive::connect($address));
