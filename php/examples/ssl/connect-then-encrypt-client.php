<?php

/**
 * TCP first, then keepalive, then TLS: a server that dies during the handshake is noticed too.
 *
 *     php connect-then-encrypt-client.php [host [port [authorities.pem [classical]]]]
 *
 * Connects (to localhost, port 7443), says hello, and prints what the server sends until it closes
 * the connection, or keepalive finds that it is gone. The certificate must be for this host, and
 * signed by an authority that the system trusts, or the file names. stream-server.php is a server
 * for it. Meanwhile, `ss -tno dport = :7443` shows the kernel's keepalive timer.
 *
 * Keepalive::connect() does all of it in one call. The fourth argument `classical` takes PHP's own
 * three steps instead, which is also how protocols with STARTTLS do it.
 */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$host = $argv[1] ?? 'localhost';
$port = $argv[2] ?? '7443';
$authorities = $argv[3] ?? '';
$classical = ($argv[4] ?? '') === 'classical';

function fail(string $message): void
{
    fwrite(STDERR, "$message\n");
    exit(1);
}

function show(string $when, Settings $settings): void
{
    printf(
        "%s keepalive %s, idle %d s, interval %d s, count %d, user timeout %d ms\n",
        $when,
        $settings->enabled() ? 'on' : 'off',
        $settings->idle(),
        $settings->interval(),
        $settings->count(),
        $settings->userTimeoutMs()
    );
}

/**
 * @param resource $context
 * @return resource
 */
function connectThenEncrypt(string $host, string $target, Settings $settings, $context)
{
    $stream = stream_socket_client("tcp://$target", $errno, $message, 30, STREAM_CLIENT_CONNECT, $context)
        ?: fail("Connecting to tcp://$target failed");
    show('before:', Keepalive::settings($stream));
    Keepalive::apply($stream, $settings);
    // tls:// would take the name from the address. Here it must be said, for the name to be asked
    // for (SNI) and to be compared with the certificate's.
    stream_context_set_option($stream, 'ssl', 'peer_name', $host);
    stream_socket_enable_crypto($stream, true, STREAM_CRYPTO_METHOD_TLS_CLIENT) === true
        || fail("The TLS handshake with $target failed");
    return $stream;
}

// PHP tells the reasons for a failed handshake in warnings only.
set_error_handler(static function (int $level, string $message): bool {
    fwrite(STDERR, "$message\n");
    return true;
});

$target = (strpos($host, ':') === false ? $host : "[$host]") . ":$port";
$context = stream_context_create(['ssl' => $authorities === '' ? [] : ['cafile' => $authorities]]);
$settings = Settings::detectWithin(30); // idle or not, a dead server is noticed within 30 seconds

try {
    if ($classical) {
        $stream = connectThenEncrypt($host, $target, $settings, $context);
    } else {
        show('a fresh socket has:', Keepalive::defaults());
        $stream = Keepalive::connect("tls://$target", $settings, 30, $context);
    }
    echo "connected to tls://$target, ", stream_get_meta_data($stream)['crypto']['protocol'], "\n";
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
