<?php

/** What connect() and a look-up say where no descriptor is free. */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$work = [
    static function (): void {
        Keepalive::connect('tcp://127.0.0.1:1');
    },
    static function (): void {
        Keepalive::enableConnectionsTo('localhost:1');
    },
];
foreach ([false, true] as $full) { // at first for PHP to load what it needs
    $files = [];
    while ($full && $file = @fopen('/dev/null', 'r')) {
        $files[] = $file;
    }
    foreach ($work as $call) {
        try {
            $call();
            echo "no error\n";
        } catch (SocketException $exception) {
            echo $exception->getMessage(), "\n";
        }
    }
}
