<?php

/**
 * Autoloads the package and its tests as composer.json says, for PHPUnit and for child processes;
 * nothing need be installed by Composer for it.
 */

declare(strict_types=1);

(static function (): void {
    $root = dirname(__DIR__, 2);
    $composer = json_decode((string) file_get_contents("$root/composer.json"), true);
    $folders = $composer['autoload']['psr-4'] + $composer['autoload-dev']['psr-4'];
    // The longer namespace first: Keepalive\Tests\ begins with Keepalive\.
    krsort($folders);
    spl_autoload_register(static function (string $class) use ($root, $folders): void {
        foreach ($folders as $namespace => $folder) {
            if (strpos($class, $namespace) === 0) {
                $file = "$root/$folder" . strtr(substr($class, strlen($namespace)), '\\', '/') . '.php';
                if (is_file($file)) {
                    require $file;
                }
                return;
            }
        }
    });
    foreach ($composer['autoload']['files'] as $file) {
        require_once "$root/$file";
    }
})();
