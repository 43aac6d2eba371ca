<?php

// For tests/packaging/in-debian.bats: a socket set through bare FFI, then through the package.

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    require __DIR__ . '/../../php/src/' . strtr(substr($class, strlen('Keepalive\\')), '\\', '/') . '.php';
});

use Keepalive\Keepalive;

$ffi = FFI::cdef((string) file_get_contents(__DIR__ . '/../../php/keepalive-ffi.h'), 'libkeepalive.so.1');
if ($ffi->ka_set(-1, 60, 10, 6) !== -9) {
    exit('ka_set() of no descriptor is not -EBADF');
}
$stream = stream_socket_server('tcp://127.0.0.1:0');
Keepalive::enable($stream, 61, 11, 7);
$settings = Keepalive::settings($stream);
printf(
    "%s %s %d/%d/%d\n",
    $ffi->ka_version(),
    Keepalive::backend(),
    $settings->idle(),
    $settings->interval(),
    $settings->count()
);
