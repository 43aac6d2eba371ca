<?php

/** Prints which classes of the package are preloaded, and which files a request reads. */

declare(strict_types=1);

use Keepalive\Keepalive;

require __DIR__ . '/../../constants.php';

$files = get_included_files();
$classes = array_merge(get_declared_classes(), get_declared_interfaces());
$classes = array_values(array_filter($classes, static function (string $class): bool {
    return strpos($class, 'Keepalive\\') === 0;
}));
sort($classes);
$stream = stream_socket_server('tcp://127.0.0.1:0');
Keepalive::enable($stream, 42, 7, 3);
echo json_encode([
    $classes,
    opcache_get_status(false)['preload_statistics']['classes'] !== [],
    Keepalive::backend(),
    Keepalive::settings($stream)->idle(),
    array_values(array_diff(get_included_files(), $files)),
]);
