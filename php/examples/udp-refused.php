<?php

/**
 * A UDP socket has no keepalive, and this package says so; PHP's own function claims success.
 */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;

require __DIR__ . '/../autoload.php'; // in an application: vendor/autoload.php

$stream = stream_socket_client('udp://127.0.0.1:7007');
$socket = socket_import_stream($stream);

try {
    Keepalive::enable($stream, 60, 10, 6);
} catch (SocketException $exception) {
    echo $exception->getMessage(), "\n";
}
echo 'SO_KEEPALIVE is ', socket_get_option($socket, SOL_SOCKET, SO_KEEPALIVE), "\n";

var_dump(socket_set_option($socket, SOL_SOCKET, SO_KEEPALIVE, 1)); // true, and no probe will ever be sent
echo 'SO_KEEPALIVE is ', socket_get_option($socket, SOL_SOCKET, SO_KEEPALIVE), "\n";
