<?php

/**
 * Loads the package's classes where Composer does not: `require '.../php/autoload.php'`.
 */

declare(strict_types=1);

require_once __DIR__ . '/constants.php';

spl_autoload_register(static function (string $class): void {
    if (strncmp($class, 'Keepalive\\', 10) === 0) {
        $file = __DIR__ . '/src/' . str_replace('\\', '/', substr($class, 10)) . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
