<?php

/**
 * Keepalive with PHP's socket_* functions and nothing else.
 *
 *     php socket-client.php [host [port]]
 *
 * Connects (to 127.0.0.1, port 7007), says hello, and prints what the server sends until it closes
 * the connection, or keepalive finds that it is gone. php socket-server.php is a server for it; so
 * is nc -l 7007. Meanwhile, `ss -tno dport = :7007` shows the kernel's keepalive timer.
 *
 * Before 8.2, PHP has no constants for the options: the package's autoloader defines them.
 */

declare(strict_types=1);

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$host = $argv[1] ?? '127.0.0.1';
$port = (int) ($argv[2] ?? 7007);

/**
 * @param resource|Socket|null $socket
 */
function fail(string $what, $socket = null): void
{
    $errno = $socket === null ? socket_last_error() : socket_last_error($socket);
    fwrite(STDERR, "$what: " . socket_strerror($errno) . "\n");
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

// Every failure is reported below, in our own words.
error_reporting(E_ALL & ~E_WARNING);

$family = strpos($host, ':') === false ? AF_INET : AF_INET6;
$socket = socket_create($family, SOCK_STREAM, SOL_TCP) ?: fail('Opening a socket');
show('before:', $socket);

// This order: SO_KEEPALIVE starts the timer with the idle time that is set by then, and where the
// system refuses a value, keepalive stays off.
(
    socket_set_option($socket, SOL_TCP, TCP_KEEPINTVL, 10)
    && socket_set_option($socket, SOL_TCP, TCP_KEEPCNT, 6)
    && socket_set_option($socket, SOL_TCP, TCP_KEEPIDLE, 60)
    && socket_set_option($socket, SOL_SOCKET, SO_KEEPALIVE, 1)
) || fail('Setting keepalive', $socket);
show('after:', $socket);

socket_connect($socket, $host, $port) || fail("Connecting to $host port $port", $socket);
echo "connected to $host port $port\n";

$greeting = "hello\n";
while ($greeting !== '') {
    $sent = socket_write($socket, $greeting);
    if ($sent === false) {
        fail('Sending', $socket);
    }
    $greeting = substr($greeting, $sent); // a write may take a part only
}

while (($data = socket_read($socket, 8192)) !== '') {
    if ($data === false) {
        fail('Receiving', $socket); // "Connection timed out" is keepalive's verdict
    }
    echo $data;
}
echo "the server has closed the connection\n";
