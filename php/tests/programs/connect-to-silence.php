<?php

/** Connects by TLS to a server that reads and never answers; the argument is the timeout, or null. */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:0');
$address = stream_socket_get_name($listener, false);
if (pcntl_fork() === 0) {
    $connection = stream_socket_accept($listener, 10);
    fread($connection, 10);
    usleep(200000);
    posix_kill(getmypid(), SIGKILL);
}
fclose($listener);
try {
    Keepalive::connect("tls://$address", null, $argv[1] === 'null' ? null : (float) $argv[1]);
} catch (SocketException $exception) {
    echo 'no handshake';
}
