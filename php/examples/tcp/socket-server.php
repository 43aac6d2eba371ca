<?php

/**
 * An echo server with PHP's socket_* functions and nothing else: keepalive on the listener.
 *
 *     php socket-server.php [address [port]]
 *
 * `nc 127.0.0.1 7007` is a client for it. Ctrl-C ends it. It serves one client at a time, so a client that
 * vanishes would block it forever: keepalive ends that connection after two minutes.
 */

declare(strict_types=1);

require __DIR__ . '/../../autoload.php'; // before 8.2, PHP has no constants for the options: this defines them

$listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);

// On Linux every accepted connection inherits these.
$isReady = socket_set_option($listener, SOL_TCP, TCP_KEEPINTVL, 10)
    && socket_set_option($listener, SOL_TCP, TCP_KEEPCNT, 6)
    && socket_set_option($listener, SOL_TCP, TCP_KEEPIDLE, 60)
    && socket_set_option($listener, SOL_SOCKET, SO_KEEPALIVE, 1)
    && socket_set_option($listener, SOL_SOCKET, SO_REUSEADDR, 1) // so that it can be started again at once
    && socket_bind($listener, $argv[1] ?? '127.0.0.1', (int) ($argv[2] ?? 7007))
    && socket_listen($listener)
    && socket_getsockname($listener, $address, $port);
if (!$isReady) {
    exit(1); // PHP's warning says why
}
echo "listening on $address:$port\n";

while ($client = socket_accept($listener)) {
    echo 'a client: idle ', socket_get_option($client, SOL_TCP, TCP_KEEPIDLE), " s\n";
    while (($data = socket_read($client, 8192)) !== false && $data !== '') {
        socket_write($client, $data);
    }
    // "Connection timed out" is how keepalive ends a connection.
    echo $data === '' ? 'it has closed' : socket_strerror(socket_last_error($client)), "\n";
}
