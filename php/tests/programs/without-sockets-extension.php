<?php

/** Without the sockets extension: FFI alone. */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\OpenSocket;
use Keepalive\Tests\Support\Kernel;

$stream = stream_socket_server('tcp://127.0.0.1:0');
Keepalive::enable($stream, 42, 7, 3, 63000);
return [
    Keepalive::backend(),
    Kernel::options($stream),
    Keepalive::settings($stream)->idle(),
    Keepalive::status($stream)->state(),
    in_array(stream_socket_get_name($stream, false), array_map(static function (OpenSocket $open): string {
        return $open->local();
    }, Keepalive::sockets()), true),
    thrown(static function (): void {
        Keepalive::enable(fopen('php://memory', 'r'));
    })[1],
    thrown(static function (): void {
        Keepalive::enable(stream_socket_client('udp://127.0.0.1:9'));
    })[1],
    thrown(static function (): void {
        Keepalive::enable(-1);
    })[1],
];
