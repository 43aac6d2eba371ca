<?php

/**
 * Keepalive on a stream in PHP's own way: stream_socket_client() and socket_import_stream().
 *
 *     php stream-client.php [host [port]]
 *
 * Connects (to 127.0.0.1, port 7007), says hello, and prints what the server sends until it closes
 * the connection, or keepalive finds that it is gone. php stream-server.php is a server for it; so
 * is nc -l 7007. Meanwhile, `ss -tno dport = :7007` shows the kernel's keepalive timer.
 *
 * PHP's own way needs ext-sockets, and plain TCP: there is no Socket for an established TLS stream.
 * With this package, Keepalive::enable($stream, 60, 10, 6) replaces all of enableKeepalive(), TLS
 * streams included: see parallel-client.php and ../ssl/stream-client.php.
 */

declare(strict_types=1);

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$host = $argv[1] ?? '127.0.0.1';
$port = $argv[2] ?? '7007';

function fail(string $message): void
{
    fwrite(STDERR, "$message\n");
    exit(1);
}

/**
 * @param resource|Socket $socket
 */
function show(string $when, $socket): void
{
    printf(
        "%-7s keepalive %s, idle %d s, interval %d s, count %d\n",
        $when,
        socket_get_option($socket, SOL_SOCKET, SO_KEEPALIVE) ? 'on' : 'off',
        socket_get_option($socket, SOL_TCP, TCP_KEEPIDLE),
        socket_get_option($socket, SOL_TCP, TCP_KEEPINTVL),
        socket_get_option($socket, SOL_TCP, TCP_KEEPCNT)
    );
}

/**
 * @param resource $stream
 */
function enableKeepalive($stream): void
{
    $socket = @socket_import_stream($stream) ?: fail('PHP gives no Socket for this stream');
    show('before:', $socket);
    // This order: SO_KEEPALIVE starts the timer with the idle time that is set by then, and where
    // the system refuses a value, keepalive stays off.
    (
        @socket_set_option($socket, SOL_TCP, TCP_KEEPINTVL, 10)
        && @socket_set_option($socket, SOL_TCP, TCP_KEEPCNT, 6)
        && @socket_set_option($socket, SOL_TCP, TCP_KEEPIDLE, 60)
        && @socket_set_option($socket, SOL_SOCKET, SO_KEEPALIVE, 1)
    ) || fail('Setting keepalive: ' . socket_strerror(socket_last_error($socket)));
    show('after:', $socket);
    // The import has switched read buffering off: fgets() would ask the kernel for each byte.
    stream_set_read_buffer($stream, 8192);
}

$address = 'tcp://' . (strpos($host, ':') === false ? $host : "[$host]") . ":$port";
$stream = @stream_socket_client($address, $errno, $message)
    ?: fail("Connecting to $address: " . ($message ?: error_get_last()['message']));
enableKeepalive($stream);
echo "connected to $address\n";

@fwrite($stream, "hello\n") === 6 || fail('Sending: ' . (error_get_last()['message'] ?? 'cut short'));

while (true) {
    $data = @fread($stream, 8192);
    if ($data === false) {
        fail('Receiving: the connection broke, or keepalive found the server gone');
    }
    if ($data === '' && feof($stream)) {
        break;
    }
    echo $data; // '' without feof(): default_socket_timeout passed, nothing came, no error
}
echo "the server has closed the connection\n";
