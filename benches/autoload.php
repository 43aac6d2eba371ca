<?php

/** The package's classes, without Composer. */

declare(strict_types=1);

require dirname(__DIR__) . '/php/constants.php';
spl_autoload_register(static function (string $class): void {
    if (strpos($class, 'Keepalive\\') === 0) {
        require dirname(__DIR__) . '/php/src/' . str_replace('\\', '/', substr($class, 10)) . '.php';
    }
});
