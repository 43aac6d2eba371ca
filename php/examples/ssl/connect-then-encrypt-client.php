<?php

/**
 * TCP first, then keepalive, then TLS: a server that dies during the handshake is noticed too.
 *
 *     php connect-then-encrypt-client.php [host [port]]
 *
 * It says hello and prints what the server sends: stream-server.php in this folder is one. Protocols with
 * STARTTLS do the same, with a word in between; for others Keepalive::connect("tls://$host:$port", ...) does it
 * all. The environment's SSL_CERT_FILE names authorities to trust instead of the system's.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$host = $argv[1] ?? 'localhost';
$stream = stream_socket_client("tcp://$host:" . ($argv[2] ?? '7443')) ?: exit(1); // PHP's warning says why

Keepalive::apply($stream, Settings::detectWithin(30));

// What tls:// takes from the address: the name that the certificate must have.
stream_context_set_option($stream, 'ssl', 'peer_name', $host);
stream_socket_enable_crypto($stream, true, STREAM_CRYPTO_METHOD_TLS_CLIENT) === true || exit(1);

echo stream_get_meta_data($stream)['crypto']['protocol'], ' ', json_encode(Keepalive::settings($stream)), "\n";

fwrite($stream, "hello\n");
do {
    $data = fread($stream, 8192);
    echo $data;
} while ($data !== false && !feof($stream));
echo "the server has closed, or keepalive found it gone\n";
