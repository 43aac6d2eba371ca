<?php

/** With neither FFI nor the sockets extension: what each call throws. */

declare(strict_types=1);

use Keepalive\Keepalive;

$stream = stream_socket_server('tcp://127.0.0.1:0');
$address = 'tcp://' . stream_socket_get_name($stream, false);
return array_map('thrown', [
    'enable' => static function () use ($stream): void {
        Keepalive::enable($stream);
    },
    'settings' => static function () use ($stream): void {
        Keepalive::settings($stream);
    },
    'disable' => static function () use ($stream): void {
        Keepalive::disable($stream);
    },
    'status' => static function () use ($stream): void {
        Keepalive::status($stream);
    },
    'defaults' => static function (): void {
        Keepalive::defaults();
    },
    'sockets' => static function (): void {
        Keepalive::sockets();
    },
    'backend' => static function (): void {
        Keepalive::backend();
    },
    'connect' => static function () use ($address): void {
        Keepalive::connect($address);
    },
]);
