<?php

/**
 * A UDP socket has no keepalive, and this package says so; PHP's own function claims success.
 *
 *     php udp-refused.php [host [port]]
 */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;

require __DIR__ . '/../autoload.php'; // in an application: vendor/autoload.php

$host = $argv[1] ?? '127.0.0.1';
$port = $argv[2] ?? '7007';

/**
 * @param resource $stream
 */
function show(string $when, $stream): void
{
    $on = socket_get_option(socket_import_stream($stream), SOL_SOCKET, SO_KEEPALIVE);
    printf("%-7s SO_KEEPALIVE is %d\n", $when, $on);
}

$address = 'udp://' . (strpos($host, ':') === false ? $host : "[$host]") . ":$port";
$stream = @stream_socket_client($address, $errno, $message);
if ($stream === false) {
    fwrite(STDERR, "Opening $address: $message\n");
    exit(1);
}

show('before:', $stream);
try {
    Keepalive::enable($stream, 60, 10, 6);
    fwrite(STDERR, "keepalive was set on a UDP socket, which cannot be\n");
    exit(1);
} catch (SocketException $exception) {
    printf("Keepalive::enable() refuses, with code %d:\n%s\n", $exception->getCode(), $exception->getMessage());
}
show('after:', $stream);

$claimed = socket_set_option(socket_import_stream($stream), SOL_SOCKET, SO_KEEPALIVE, 1);
printf("socket_set_option() says %s, and nothing will ever come of it:\n", var_export($claimed, true));
show('after:', $stream);
