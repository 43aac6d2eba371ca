<?php

/**
 * Keepalive with PHP's socket_* functions and nothing else: set before connecting.
 *
 *     php socket-client.php [address [port]]
 *
 * It says hello and prints what the server sends: `nc -l 7007` is one. Meanwhile `ss -tno dport = :7007`
 * shows the kernel's timer.
 */

declare(strict_types=1);

require __DIR__ . '/../../autoload.php'; // before 8.2, PHP has no constants for the options: this defines them

$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);

// SO_KEEPALIVE last: where the system refuses a value, keepalive stays off.
$isSet = socket_set_option($socket, SOL_TCP, TCP_KEEPINTVL, 10)
    && socket_set_option($socket, SOL_TCP, TCP_KEEPCNT, 6)
    && socket_set_option($socket, SOL_TCP, TCP_KEEPIDLE, 60)
    && socket_set_option($socket, SOL_SOCKET, SO_KEEPALIVE, 1);

if (!$isSet || !socket_connect($socket, $argv[1] ?? '127.0.0.1', (int) ($argv[2] ?? 7007))) {
    exit(1); // PHP's warning says why
}
socket_write($socket, "hello\n");
while (($data = socket_read($socket, 8192)) !== false && $data !== '') {
    echo $data;
}
// "Connection timed out" is how keepalive ends a connection.
echo $data === '' ? 'the server has closed' : socket_strerror(socket_last_error($socket)), "\n";
