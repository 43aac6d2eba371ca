<?php

/** Has 41 TCP sockets open. */

declare(strict_types=1);

$listener = stream_socket_server('tcp://127.0.0.1:0');
$sockets = [];
for ($i = 0; $i < 20; $i++) {
    $sockets[] = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));
    $sockets[] = stream_socket_accept($listener);
}
echo "ready\n";
sleep(60);
