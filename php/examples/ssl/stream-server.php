<?php

/**
 * An echo server with TLS: keepalive on the listener, in force from before each handshake.
 *
 *     openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost \
 *         -addext subjectAltName=DNS:localhost -keyout server.pem -out server.pem
 *     php stream-server.php server.pem [address [port]]
 *
 * Listens (on 127.0.0.1, port 7443; port 0: a free one) and sends back what it receives, to many
 * clients at once. Clients that vanish without a word are found by keepalive within two minutes.
 * php stream-client.php localhost 7443 server.pem is a client for it; so is
 * openssl s_client -connect localhost:7443. Ctrl-C ends it.
 *
 * The listener is tcp://, and each handshake goes on beside the others: one at tls:// would do the
 * handshake while accepting, and a client that sends nothing would hold up all the others.
 */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

/** stream_select() cannot watch more than 1024 descriptors; more clients wait in the queue. */
const MAX_CLIENTS = 1000;

function fail(string $message): void
{
    fwrite(STDERR, "$message\n");
    exit(1);
}

/** What PHP last complained of: it tells the reasons for TLS failures in warnings only. */
function reason(): string
{
    return error_get_last()['message'] ?? 'the client has gone';
}

/**
 * Sends what there is room for: the number of bytes, or null when the connection is broken.
 *
 * @param resource $client
 */
function send($client, string $data): ?int
{
    error_clear_last();
    $sent = @fwrite($client, $data);
    // On a broken TLS stream fwrite() returns 0, as when there is no room; only the warning tells.
    return $sent === false || error_get_last() !== null ? null : $sent;
}

function show(string $when, Settings $settings): void
{
    printf(
        "%s: keepalive %s, idle %d s, interval %d s, count %d\n",
        $when,
        $settings->enabled() ? 'on' : 'off',
        $settings->idle(),
        $settings->interval(),
        $settings->count()
    );
}

$certificate = $argv[1] ?? fail('Which certificate? The first lines of ' . __FILE__ . ' say how to make one.');
$address = $argv[2] ?? '127.0.0.1';
$port = $argv[3] ?? '7443';
is_readable($certificate) || fail("$certificate cannot be read");

$url = 'tcp://' . (strpos($address, ':') === false ? $address : "[$address]") . ":$port";
$context = stream_context_create(['socket' => ['backlog' => 511], 'ssl' => ['local_cert' => $certificate]]);
$listener = @stream_socket_server($url, $errno, $message, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $context)
    ?: fail("Listening on $url: " . reason());
stream_set_blocking($listener, false);

try {
    show('listener before', Keepalive::settings($listener));
    Keepalive::enable($listener, 60, 10, 6);
    show('listener after', Keepalive::settings($listener));
} catch (KeepaliveException $exception) {
    fail($exception->getMessage());
}
echo 'listening on ', stream_socket_get_name($listener, false), "\n";

$clients = [];   // streams by name
$encrypted = []; // whose handshake is done: true by name
$unsent = [];    // what each still has to get, by name
$more = [];      // who may have sent more than was read: OpenSSL holds it, stream_select() does not see it

while (true) {
    // A client that does not fetch its echo is not read either: the memory for it stays bounded.
    $readable = array_diff_key($clients, array_filter($unsent, 'strlen'));
    $writable = array_diff_key($clients, $readable);
    $except = null;
    $ready = array_intersect_key($more, $readable);
    if (count($clients) < MAX_CLIENTS) {
        $readable['listener'] = $listener;
    }
    // Sleeps until something happens.
    if (@stream_select($readable, $writable, $except, $ready ? 0 : null) === false) {
        fail('Waiting: ' . reason());
    }
    $readable += $ready;

    if (isset($readable['listener'])) {
        unset($readable['listener']);
        $client = @stream_socket_accept($listener, 0, $name);
        if ($client === false) {
            fwrite(STDERR, 'Accepting: ' . reason() . "\n");
            usleep(100000); // too many open files, mostly: the client keeps waiting, and we must not spin
        } else {
            stream_set_blocking($client, false);
            $clients[$name] = $client;
            $unsent[$name] = '';
            show("$name connected", Keepalive::settings($client));
        }
    }

    foreach ($readable as $name => $client) {
        if (!isset($encrypted[$name])) {
            // true: done; 0: the client has to say more first; false: failed.
            error_clear_last();
            $done = @stream_socket_enable_crypto($client, true, STREAM_CRYPTO_METHOD_TLS_SERVER);
            if ($done === false) {
                echo "$name: no handshake: ", reason(), "\n";
                unset($clients[$name], $unsent[$name]);
            } elseif ($done === true) {
                $encrypted[$name] = true;
                echo "$name speaks ", stream_get_meta_data($client)['crypto']['protocol'], "\n";
            }
            continue;
        }
        $data = @fread($client, 8192);
        if ($data !== false && $data !== '') {
            $more[$name] = $client;
            $unsent[$name] = $data;
            $writable[$name] = $client;
        } elseif (feof($client)) {
            echo "$name left, or vanished\n";
            unset($clients[$name], $encrypted[$name], $unsent[$name], $more[$name]);
        } else {
            unset($more[$name]);
        }
    }

    foreach ($writable as $name => $client) {
        $sent = send($client, $unsent[$name]);
        if ($sent === null) {
            echo "$name broke off: ", reason(), "\n";
            unset($clients[$name], $encrypted[$name], $unsent[$name], $more[$name]);
        } else {
            $unsent[$name] = substr($unsent[$name], $sent);
        }
    }
}
