<?php

/** Finds the classes of this folder, and the PHP tests' own helpers. */

declare(strict_types=1);

require_once __DIR__ . '/../../php/tests/bootstrap.php';

spl_autoload_register(static function (string $class): void {
    if (strpos($class, 'Preload\\') === 0) {
        require __DIR__ . '/' . substr($class, strlen('Preload\\')) . '.php';
    }
});
