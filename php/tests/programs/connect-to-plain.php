<?php

/** Connects by TLS to a server that speaks no TLS, or, with an argument, closes at once. */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:0');
$address = stream_socket_get_name($listener, false);
if (pcntl_fork() === 0) {
    $accepted = stream_socket_accept($listener);
    if ($argc > 1) {
        fclose($accepted);
    } else {
        fwrite($accepted, str_repeat("220 I speak no TLS\r\n", 20));
        sleep(1);
    }
    posix_kill(getmypid(), SIGKILL);
}
try {
    Keepalive::connect("tls://$address", null, 3.0);
} catch (SocketException $exception) {
    echo $exception->getMessage();
}
