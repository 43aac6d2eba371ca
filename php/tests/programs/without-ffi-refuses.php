<?php

/** Without FFI: what needs it, with what each call throws. */

declare(strict_types=1);

use Keepalive\Keepalive;

$stream = stream_socket_server('tcp://127.0.0.1:0');
$filtered = stream_socket_client('tcp://' . stream_socket_get_name($stream, false));
stream_filter_append($filtered, 'string.rot13');
return [
    'status' => thrown(static function () use ($stream): void {
        Keepalive::status($stream);
    }),
    'sockets' => thrown(static function (): void {
        Keepalive::sockets();
    }),
    'descriptor' => thrown(static function (): void {
        Keepalive::enable(3);
    }),
    'filtered' => thrown(static function () use ($filtered): void {
        Keepalive::enable($filtered);
    }),
];
