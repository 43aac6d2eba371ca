<?php

/** Makes one call after another, and prints for each "fine" or which function of PHP is missing. */

declare(strict_types=1);

use Keepalive\Exception\UnavailableException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$stream = stream_socket_server('tcp://127.0.0.1:0');
$calls = [
    'enable' => static function () use ($stream): void {
        Keepalive::enable($stream, 42, 7, 3, 63000);
    },
    'settings' => static function () use ($stream): void {
        Keepalive::settings($stream);
    },
    'disable' => static function () use ($stream): void {
        Keepalive::disable($stream);
    },
    'settings of a Socket' => static function () use ($stream): void {
        if (function_exists('socket_import_stream')) {
            Keepalive::settings(socket_import_stream($stream));
        }
    },
    'defaults' => static function (): void {
        Keepalive::defaults();
    },
    'backend' => static function (): void {
        Keepalive::backend();
    },
    'connect' => static function () use ($stream): void {
        Keepalive::connect(stream_socket_get_name($stream, false));
    },
];
foreach ($calls as $call) {
    try {
        $call();
        echo "fine\n";
    } catch (UnavailableException $exception) {
        echo $exception->getMessage(), "\n";
    }
}
