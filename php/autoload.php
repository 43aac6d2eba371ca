<?php

/**
 * Loads the package's classes where Composer does not: `require '.../php/autoload.php'`.
 */

declare(strict_types=1);

require_once __DIR__ . '/constants.php';

spl_autoload_register(static function (string $class): void {
    $folders = [
        'Keepalive\\CommandLine\\' => 'command-line',
        'Keepalive\\Integration\\' => 'integrations',
        'Keepalive\\' => 'src',
    ];
    foreach ($folders as $namespace => $folder) {
        if (strncmp($class, $namespace, strlen($namespace)) === 0) {
            $file = __DIR__ . "/$folder/" . str_replace('\\', '/', substr($class, strlen($namespace))) . '.php';
            if (is_file($file)) {
                require $file;
            }
            return;
        }
    }
});
