<?php

/** Enables a connection by its address, by * and by its name. */

declare(strict_types=1);

use Keepalive\Exception\UnavailableException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$server = stream_socket_server('tcp://127.0.0.1:0');
$port = explode(':', stream_socket_get_name($server, false))[1];
$client = stream_socket_client("tcp://127.0.0.1:$port");
foreach (['127.0.0.1', '*', 'localhost'] as $host) {
    try {
        echo Keepalive::enableConnectionsTo("$host:$port"), "\n";
    } catch (UnavailableException $exception) {
        echo $exception->getMessage();
    }
}
