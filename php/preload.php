<?php

/**
 * For opcache.preload: lets this package, and no other code, use FFI under `ffi.enable=preload`,
 * which is PHP's default, in PHP-FPM and other web servers.
 *
 *     opcache.preload=/path/to/vendor/libkeepalive/keepalive/php/preload.php
 *     opcache.preload_user=www-data
 *
 * The command line is left out, because no request needs it. The files are compiled only; the library is loaded when a
 * request first needs it.
 */

declare(strict_types=1);

// Not glob(), because the brackets of a folder like /srv/app[1] are a pattern for it.
foreach (['', 'Exception/', 'Internal/'] as $folder) {
    foreach (scandir(__DIR__ . "/src/$folder") as $file) {
        if (substr($file, -4) === '.php') {
            opcache_compile_file(__DIR__ . "/src/$folder$file");
        }
    }
}
