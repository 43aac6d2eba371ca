<?php

/**
 * Keepalive on an established TLS stream, which PHP's own functions cannot reach.
 *
 *     php stream-client.php [host:port]
 *
 * It says hello and prints what the server sends: stream-server.php in this folder is one. The
 * environment's SSL_CERT_FILE names authorities to trust instead of the system's.
 */

declare(strict_types=1);

use Keepalive\Keepalive;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$stream = stream_socket_client('tls://' . ($argv[1] ?? 'localhost:7443')) ?: exit(1); // PHP's warnings say why

echo 'before: ', json_encode(Keepalive::settings($stream)), "\n";
Keepalive::enable($stream, 60, 10, 6);
echo 'after:  ', json_encode(Keepalive::settings($stream)), "\n";

fwrite($stream, "hello\n");
do {
    $data = fread($stream, 8192);
    echo $data;
} while ($data !== false && !feof($stream));
echo "the server has closed, or keepalive found it gone\n";
