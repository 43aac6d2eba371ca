<?php

/** Connects to each address that the hosts file has for db.example, and enables keepalive by name. */

declare(strict_types=1);

use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$first = stream_socket_server('tcp://127.0.0.1:0');
$port = explode(':', stream_socket_get_name($first, false))[1];
$servers = $clients = [];
foreach (['127.0.0.1', '127.0.0.2', '127.0.0.3', '[::1]'] as $address) {
    $servers[] = $address === '127.0.0.1' ? $first : stream_socket_server("tcp://$address:$port");
    $clients[] = stream_socket_client("tcp://$address:$port");
}
$client = stream_socket_client("tcp://db.example:$port");
echo Keepalive::enableConnectionsTo("db.example:$port"), ' ';
echo Keepalive::enableConnectionsTo("DB.example:$port"), ' ';
echo Keepalive::enableConnectionsTo("other.example:$port");
