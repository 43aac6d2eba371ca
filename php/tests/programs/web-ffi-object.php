<?php

/** In a web server: what code that may not use FFI can do with the package's FFI object. */

declare(strict_types=1);

use Keepalive\Internal\FfiBackend;
use Keepalive\Keepalive;

Keepalive::backend();
$property = new ReflectionProperty(FfiBackend::class, 'ffi');
if (PHP_VERSION_ID < 80100) {
    $property->setAccessible(true);
}
$ffi = $property->getValue();
echo $ffi->ka_version(), "\n";
$attempts = [
    'new' => static function () use ($ffi): void {
        $ffi->new('char[8]');
    },
    'cast' => static function () use ($ffi): void {
        $ffi->cast('long', $ffi->ka_defaults());
    },
    'type' => static function () use ($ffi): void {
        $ffi->type('int');
    },
    'addr' => static function () use ($ffi): void {
        FFI::addr($ffi->ka_defaults());
    },
    'string' => static function () use ($ffi): void {
        FFI::string($ffi->ka_defaults(), 8);
    },
    'memcpy' => static function () use ($ffi): void {
        FFI::memcpy($ffi->ka_defaults(), 'x', 1);
    },
    'cdef' => static function (): void {
        FFI::cdef('', 'libc.so.6');
    },
];
foreach ($attempts as $name => $attempt) {
    try {
        $attempt();
        echo "$name open\n";
    } catch (FFI\Exception $exception) {
        echo "$name {$exception->getMessage()}\n";
    }
}
$elsewhere = $ffi->ka_strerror + 8;
echo ($elsewhere - 8)(-9), "\n";
