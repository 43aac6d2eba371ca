<?php

/**
 * Keepalive on an established TLS stream, which PHP's own functions cannot reach.
 *
 *     php stream-client.php [host [port [authorities.pem]]]
 *
 * Connects (to localhost, port 7443) with TLS, says hello, and prints what the server sends until
 * it closes the connection, or keepalive finds that it is gone. The certificate must be for this
 * host, and signed by an authority that the system trusts, or the file names. stream-server.php is
 * a server for it. Meanwhile, `ss -tno dport = :7443` shows the kernel's keepalive timer.
 */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$host = $argv[1] ?? 'localhost';
$port = $argv[2] ?? '7443';
$authorities = $argv[3] ?? null;

function fail(string $message): void
{
    fwrite(STDERR, "$message\n");
    exit(1);
}

function show(string $when, Settings $settings): void
{
    printf(
        "%-7s keepalive %s, idle %d s, interval %d s, count %d\n",
        $when,
        $settings->enabled() ? 'on' : 'off',
        $settings->idle(),
        $settings->interval(),
        $settings->count()
    );
}

// PHP tells the reasons for a failed handshake in warnings only.
set_error_handler(static function (int $level, string $message): bool {
    fwrite(STDERR, "$message\n");
    return true;
});

$address = 'tls://' . (strpos($host, ':') === false ? $host : "[$host]") . ":$port";
// Without this, PHP would compare the certificate with an IPv6 address in its brackets.
$ssl = ['peer_name' => $host];
if ($authorities !== null) {
    $ssl['cafile'] = $authorities;
}
$context = stream_context_create(['ssl' => $ssl]);
$stream = stream_socket_client($address, $errno, $message, 30, STREAM_CLIENT_CONNECT, $context)
    ?: fail("Connecting to $address failed");
echo "connected to $address, ", stream_get_meta_data($stream)['crypto']['protocol'], "\n";

try {
    show('before:', Keepalive::settings($stream));
    Keepalive::enable($stream, 60, 10, 6);
    show('after:', Keepalive::settings($stream));
} catch (KeepaliveException $exception) {
    fail($exception->getMessage());
}

fwrite($stream, "hello\n") === 6 || fail('Sending failed');

while (true) {
    $data = fread($stream, 8192);
    if ($data === false) {
        fail('Receiving: the connection broke, or keepalive found the server gone');
    }
    if ($data === '' && feof($stream)) {
        break;
    }
    echo $data; // '' without feof(): default_socket_timeout passed, nothing came, no error
}
echo "the server has closed the connection\n";
