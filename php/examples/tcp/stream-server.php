<?php

/**
 * An echo server on streams: keepalive on the listener, inherited by every connection.
 *
 *     php stream-server.php [address [port]]
 *
 * Listens (on 127.0.0.1, port 7007; port 0: a free one) and sends back what it receives, to many
 * clients at once. Clients that vanish without a word are found by keepalive within two minutes.
 * stream-client.php is a client for it; so is nc 127.0.0.1 7007. Ctrl-C ends it.
 *
 * On Linux a listener's connections inherit its settings: set once, nothing to do for each.
 */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

/** stream_select() cannot watch more than 1024 descriptors; more clients wait in the queue. */
const MAX_CLIENTS = 1000;

$address = $argv[1] ?? '127.0.0.1';
$port = $argv[2] ?? '7007';

function fail(string $message): void
{
    fwrite(STDERR, "$message\n");
    exit(1);
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

$url = 'tcp://' . (strpos($address, ':') === false ? $address : "[$address]") . ":$port";
$context = stream_context_create(['socket' => ['backlog' => 511]]);
$listener = @stream_socket_server($url, $errno, $message, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $context)
    ?: fail("Listening on $url: " . ($message ?: error_get_last()['message']));
stream_set_blocking($listener, false);

try {
    show('listener before', Keepalive::settings($listener));
    Keepalive::enable($listener, 60, 10, 6);
    show('listener after', Keepalive::settings($listener));
} catch (KeepaliveException $exception) {
    fail($exception->getMessage());
}
echo 'listening on ', stream_socket_get_name($listener, false), "\n";

$clients = []; // streams by name
$unsent = [];  // what each still has to get, by name

while (true) {
    // A client that does not fetch its echo is not read either: the memory for it stays bounded.
    $readable = array_diff_key($clients, array_filter($unsent, 'strlen'));
    $writable = array_diff_key($clients, $readable);
    $except = null;
    if (count($clients) < MAX_CLIENTS) {
        $readable['listener'] = $listener;
    }
    // Sleeps until something happens.
    if (stream_select($readable, $writable, $except, null) === false) {
        fail('Waiting: ' . error_get_last()['message']);
    }

    if (isset($readable['listener'])) {
        unset($readable['listener']);
        $client = @stream_socket_accept($listener, 0, $name);
        if ($client === false) {
            fwrite(STDERR, 'Accepting: ' . error_get_last()['message'] . "\n");
            usleep(100000); // too many open files, mostly: the client keeps waiting, and we must not spin
        } else {
            stream_set_blocking($client, false);
            $clients[$name] = $client;
            $unsent[$name] = '';
            show("$name connected", Keepalive::settings($client));
        }
    }

    foreach ($readable as $name => $client) {
        $data = @fread($client, 8192);
        if ($data === false || ($data === '' && feof($client))) {
            echo $name, $data === false ? " broke off, or vanished\n" : " left\n";
            unset($clients[$name], $unsent[$name]);
        } else {
            $unsent[$name] = $data;
            $writable[$name] = $client;
        }
    }

    foreach ($writable as $name => $client) {
        $sent = @fwrite($client, $unsent[$name]); // perhaps a part; the rest when there is room
        if ($sent === false) {
            echo "$name broke off\n";
            unset($clients[$name], $unsent[$name]);
        } else {
            $unsent[$name] = substr($unsent[$name], $sent);
        }
    }
}
