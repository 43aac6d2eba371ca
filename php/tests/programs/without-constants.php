<?php

/** The settings of a stream, by an autoloader of the application's own that loads classes only. */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

spl_autoload_register(static function (string $class): void {
    require dirname(__DIR__, 2) . '/src/' . strtr(substr($class, strlen('Keepalive\\')), '\\', '/') . '.php';
});

$stream = stream_socket_server('tcp://127.0.0.1:0');
Keepalive::apply($stream, Settings::of(60, 10, 6, 120000));
echo Keepalive::backend(), ' ', json_encode(Keepalive::settings($stream));
