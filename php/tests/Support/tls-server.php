<?php

/**
 * A TLS server for the tests of connect(), in a process of its own because a handshake needs two.
 *
 * Its argument is JSON: "host" to listen on and "ssl", the context options. It prints its port, then
 * for each connection a line of JSON: the protocol, or the reason why there was no handshake. It
 * sends "hello" and ends when its standard input does.
 */

declare(strict_types=1);

$asked = json_decode($argv[1], true);
$context = stream_context_create(['ssl' => $asked['ssl']]);
$flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
$listener = stream_socket_server("tcp://{$asked['host']}:0", $errno, $message, $flags, $context);
echo substr((string) strrchr((string) stream_socket_get_name($listener, false), ':'), 1), "\n";

$open = [];
while (true) {
    $read = [STDIN, $listener];
    $none = null;
    stream_select($read, $none, $none, null);
    if (in_array(STDIN, $read, true)) {
        exit;
    }
    $connection = stream_socket_accept($listener, 5);
    stream_set_timeout($connection, 5);
    if (@stream_socket_enable_crypto($connection, true, STREAM_CRYPTO_METHOD_TLS_SERVER) === true) {
        $said = ['protocol' => stream_get_meta_data($connection)['crypto']['protocol']];
        @fwrite($connection, "hello\n"); // a client that refused the certificate has closed by now
        $open[] = $connection;
    } else {
        $said = ['failed' => error_get_last()['message'] ?? 'no reason given'];
        fclose($connection);
    }
    echo json_encode($said), "\n";
}
