<?php

/** Finds the classes of this folder, and of the package under test. */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    foreach (['DeadPeer\\' => __DIR__ . '/', 'Keepalive\\' => __DIR__ . '/../../php/src/'] as $prefix => $folder) {
        if (strpos($class, $prefix) === 0) {
            require $folder . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
        }
    }
});
