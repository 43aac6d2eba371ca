<?php

/**
 * For opcache.preload: lets this package, and no other code, use FFI under `ffi.enable=preload`,
 * which is PHP's default, in PHP-FPM and other web servers.
 *
 *     opcache.preload=/path/to/vendor/libkeepalive/keepalive/php/preload.php
 *     opcache.preload_user=www-data
 *
 * The files are compiled only; the library is loaded when a request first needs it.
 */

declare(strict_types=1);

foreach (['*.php', 'Exception/*.php', 'Internal/*.php'] as $files) {
    foreach (glob(__DIR__ . '/src/' . $files) ?: [] as $file) {
        opcache_compile_file($file);
    }
}
