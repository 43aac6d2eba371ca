<?php

/**
 * Keepalive on a plain stream by PHP's own functions.
 *
 *     php stream-client.php [host:port]
 *
 * It says hello and prints what the server sends: `nc -l 7007` is one. Meanwhile `ss -tno dport = :7007`
 * shows the kernel's timer. With this package, Keepalive::enable($stream, 60, 10, 6) is enough, for TLS too.
 */

declare(strict_types=1);

require __DIR__ . '/../../autoload.php'; // before 8.2, PHP has no constants for the options: this defines them

$stream = stream_socket_client('tcp://' . ($argv[1] ?? '127.0.0.1:7007')) ?: exit(1); // PHP's warning says why
$socket = socket_import_stream($stream);

// SO_KEEPALIVE last: it starts the timer with the idle time that is set by then.
socket_set_option($socket, SOL_TCP, TCP_KEEPINTVL, 10);
socket_set_option($socket, SOL_TCP, TCP_KEEPCNT, 6);
socket_set_option($socket, SOL_TCP, TCP_KEEPIDLE, 60);
socket_set_option($socket, SOL_SOCKET, SO_KEEPALIVE, 1);

// The import has turned off read buffering: fgets() would ask the kernel for each byte.
stream_set_read_buffer($stream, 8192);

echo 'keepalive ', socket_get_option($socket, SOL_SOCKET, SO_KEEPALIVE) ? 'on' : 'off', "\n";

fwrite($stream, "hello\n");
do {
    $data = fread($stream, 8192);
    echo $data;
} while ($data !== false && !feof($stream));
echo $data === false ? "the connection broke, or keepalive found the server gone\n" : "the server has closed\n";
