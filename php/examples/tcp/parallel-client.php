<?php

/**
 * Several connections at once, none waiting for another, each with keepalive from the start.
 *
 *     php parallel-client.php [host:port ...]
 *
 * Connects to all the addresses (127.0.0.1:7007 three times) without blocking, says hello on each
 * connection as soon as it stands, and prints what the servers send, until all connections have
 * ended. A server for it is stream-server.php in this folder.
 *
 * Keepalive is set while the connections are still being made: they never live a moment without.
 */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$addresses = array_slice($argv, 1) ?: array_fill(0, 3, '127.0.0.1:7007');
$failed = 0;

function show(string $name, string $when, Settings $settings): void
{
    printf(
        "%s %s: keepalive %s, idle %d s, interval %d s, count %d\n",
        $name,
        $when,
        $settings->enabled() ? 'on' : 'off',
        $settings->idle(),
        $settings->interval(),
        $settings->count()
    );
}

function problem(string $name, string $message): void
{
    global $failed;
    $failed++;
    fwrite(STDERR, "$name: $message\n");
}

/**
 * Why a connection that was still being made has failed; 0: it stands.
 *
 * @param resource $stream
 */
function connectError($stream): int
{
    if (stream_socket_get_name($stream, true) !== false) {
        return 0;
    }
    return socket_get_option(socket_import_stream($stream), SOL_SOCKET, SO_ERROR);
}

$connecting = []; // streams by name
$open = [];
foreach ($addresses as $number => $address) {
    $name = sprintf('%d (%s)', $number + 1, $address);
    $flags = STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT;
    $stream = @stream_socket_client("tcp://$address", $errno, $message, 60, $flags);
    if ($stream === false) {
        problem($name, "connecting: $message");
        continue;
    }
    stream_set_blocking($stream, false);
    try {
        show($name, 'before', Keepalive::settings($stream));
        Keepalive::enable($stream, 60, 10, 6);
        show($name, 'after', Keepalive::settings($stream));
    } catch (KeepaliveException $exception) {
        problem($name, $exception->getMessage());
    }
    $connecting[$name] = $stream;
}

while ($connecting || $open) {
    $readable = $open;
    $writable = $connecting;
    $except = null;
    // Sleeps until something happens; 30 s are the patience for connections being made.
    $happened = stream_select($readable, $writable, $except, $connecting ? 30 : null);
    if ($happened === 0) {
        foreach (array_keys($connecting) as $name) {
            problem($name, 'connecting: no answer within 30 s');
        }
        $connecting = [];
    }
    foreach ($writable as $name => $stream) {
        unset($connecting[$name]);
        $errno = connectError($stream);
        if ($errno !== 0) {
            problem($name, 'connecting: ' . socket_strerror($errno));
        } elseif (@fwrite($stream, "hello\n") !== 6) {
            problem($name, 'sending failed'); // 6 bytes always fit into a new connection
        } else {
            echo "$name connected\n";
            $open[$name] = $stream;
        }
    }
    foreach ($readable as $name => $stream) {
        $data = @fread($stream, 8192);
        if ($data === false) {
            problem($name, 'receiving: the connection broke, or keepalive found the server gone');
            unset($open[$name]);
        } elseif ($data !== '') {
            echo "$name said: $data";
        } elseif (feof($stream)) {
            echo "$name closed\n";
            unset($open[$name]);
        }
    }
}
exit($failed === 0 ? 0 : 1);
