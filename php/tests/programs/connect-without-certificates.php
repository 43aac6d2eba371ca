<?php

/** Connects by TLS to a port; then again without a descriptor for the authority's file. */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

[, $port, $authority] = $argv;
$connect = static function () use ($port, $authority) {
    $context = stream_context_create(['ssl' => ['cafile' => $authority]]);
    return Keepalive::connect("tls://127.0.0.1:$port", null, 5.0, $context);
};
echo fgets($connect());
$files = [];
while ($file = @fopen('/dev/null', 'r')) {
    $files[] = $file;
}
array_pop($files);
try {
    $connect();
} catch (SocketException $exception) {
    echo $exception->getCode(), ' ', $exception->getMessage();
}
