<?php

/**
 * Autoloads the package and its tests, for PHPUnit and for child processes, which may lack every
 * extension: Composer has to install nothing, and only PHP's core is used.
 */

declare(strict_types=1);

require_once __DIR__ . '/../autoload.php';

spl_autoload_register(static function (string $class): void {
    $namespace = 'Keepalive\\Tests\\';
    if (strpos($class, $namespace) === 0) {
        $file = __DIR__ . '/' . strtr(substr($class, strlen($namespace)), '\\', '/') . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
