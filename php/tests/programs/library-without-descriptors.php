<?php

/** Uses the package in the argument without a free descriptor, and then with many. */

declare(strict_types=1);

use Keepalive\Exception\UnavailableException;
use Keepalive\Keepalive;

require "$argv[1]/php/autoload.php";
foreach (glob("$argv[1]/php/src/{,Exception/,Internal/}*.php", GLOB_BRACE) as $file) {
    require_once $file;
}
$stream = stream_socket_server('tcp://127.0.0.1:0');
$files = [];
while ($file = @fopen('/dev/null', 'r')) {
    $files[] = $file;
}
for ($i = 0; $i < 2; $i++) {
    Keepalive::enable($stream, 42, 7, 3, 63000);
    echo count($files) > 20 ? 'full ' : '', Keepalive::backend(), ' ', Keepalive::settings($stream)->idle(), "\n";
}
try {
    Keepalive::sockets();
} catch (UnavailableException $exception) {
    echo $exception->getMessage(), "\n";
}
$files = [];
Keepalive::enable($stream, 43);
echo Keepalive::backend(), ' ', Keepalive::settings($stream)->idle();
