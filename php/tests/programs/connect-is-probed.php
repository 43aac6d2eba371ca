<?php

/** Connects by TLS to the silent port in the argument; a child of it looks at the kernel's timer meanwhile. */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$port = $argv[1];
register_shutdown_function(static function (): void {
    echo 'ended';
});
if (pcntl_fork() === 0) {
    for ($i = 0; $i < 50; $i++) {
        usleep(20000);
        $said = (string) shell_exec("ss -Htno 'dport = :$port'");
        if (strpos($said, 'timer:(keepalive,') !== false) {
            echo 'keepalive timer, ';
            break;
        }
    }
    posix_kill(getmypid(), SIGKILL);
}
try {
    Keepalive::connect("tls://127.0.0.1:$port", null, 1.5);
} catch (SocketException $exception) {
    echo $exception->getCode(), ' ', $exception->getMessage(), ', ';
}
