<?php

/**
 * An echo server with TLS: keepalive on the listener is in force before each handshake begins.
 *
 *     openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
 *         -addext subjectAltName=DNS:localhost -keyout server.pem -out server.pem
 *     php stream-server.php server.pem [address:port]
 *
 * `SSL_CERT_FILE=server.pem php stream-client.php` is a client for it. Ctrl-C ends it. It serves one client at
 * a time, so a client that vanishes would block it forever: keepalive ends that connection after two minutes.
 */

declare(strict_types=1);

use Keepalive\Keepalive;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$address = 'tls://' . ($argv[2] ?? '127.0.0.1:7443');
$context = stream_context_create(['ssl' => ['local_cert' => $argv[1] ?? 'server.pem']]);
$flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
$listener = stream_socket_server($address, $errno, $message, $flags, $context) ?: exit(1); // PHP's warning says why
Keepalive::enable($listener, 60, 10, 6);
echo 'listening on ', stream_socket_get_name($listener, false), "\n";

while (true) {
    $client = stream_socket_accept($listener, -1, $name);
    if ($client === false) {
        continue; // no handshake: PHP's warnings say why
    }
    echo "$name: ", json_encode(Keepalive::settings($client)), "\n";
    stream_copy_to_stream($client, $client);
    echo "$name: closed, or keepalive found the client gone\n";
}
