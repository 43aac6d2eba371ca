<?php

/** Resets the first connection as soon as that has keepalive. */

declare(strict_types=1);

$listener = stream_socket_server('tcp://127.0.0.1:0');
echo $name = stream_socket_get_name($listener, false), "\n";
$port = sprintf('%04X', (int) substr((string) strrchr($name, ':'), 1));
$accepted = socket_import_stream(stream_socket_accept($listener));
do {
    // Established (01), with the keepalive timer (02).
    $lines = preg_grep("/^ *\d+: \w+:\w+ \w+:$port 01 \S+ 02:/", file('/proc/net/tcp'));
} while ($lines === []);
socket_set_option($accepted, SOL_SOCKET, SO_LINGER, ['l_onoff' => 1, 'l_linger' => 0]);
socket_close($accepted);
