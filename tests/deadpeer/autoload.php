<?php

/** Finds the classes of this folder, and of the package under test. */

declare(strict_types=1);

require __DIR__ . '/../../php/autoload.php';

spl_autoload_register(static function (string $class): void {
    if (strpos($class, 'DeadPeer\\') === 0) {
        require __DIR__ . '/' . substr($class, strlen('DeadPeer\\')) . '.php';
    }
});
