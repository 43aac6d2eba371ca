<?php

/** Calls most of the package, for tests without the functions that hosting providers disable. */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:0');
$address = 'tcp://' . stream_socket_get_name($listener, false);
$stream = stream_socket_client($address);
Keepalive::enable($stream, 42, 7, 3, 63000);
echo Keepalive::settings($stream)->idle(), ' ', Keepalive::defaults()->count(), ' ';
echo Keepalive::settings(Keepalive::connect($address))->idle(), ' ';
try {
    Keepalive::enable(STDERR);
} catch (KeepaliveException $exception) {
    echo 'refused ';
}
Keepalive::disable($stream);
echo Keepalive::backend();
