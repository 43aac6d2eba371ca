<?php

/**
 * What happens where the system's default is beyond what a socket accepts: four lines for a stream, and four for a Socket.
 * SYSTEM_DEFAULT and the settings of before, first on a socket that has the default, then on one that has other values.
 */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;
use Keepalive\Tests\Support\Kernel;

require __DIR__ . '/../bootstrap.php';

$system = Keepalive::defaults();
foreach (['stream', 'Socket'] as $kind) {
    foreach ([false, true] as $hasOtherValues) {
        foreach (['defaults', 'before'] as $what) {
            $socket = $kind === 'Socket' ? socket_create(AF_INET, SOCK_STREAM, SOL_TCP) : stream_socket_server('tcp://127.0.0.1:0');
            if ($hasOtherValues) {
                Keepalive::enable($socket, 60, 10, 6, 120000);
            }
            try {
                if ($what === 'defaults') {
                    Keepalive::enable($socket, 0, 0, 0, 5000);
                } else {
                    Keepalive::apply($socket, $system);
                }
                echo 'done ';
            } catch (SocketException $exception) {
                echo $exception->getCode(), ' ';
            }
            echo implode('/', Kernel::options($socket)), "\n";
        }
    }
}
