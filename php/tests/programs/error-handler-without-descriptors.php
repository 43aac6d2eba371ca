<?php

/** Asks for the defaults without a free descriptor, while an error handler throws at each warning. */

declare(strict_types=1);

use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

function thrown(callable $work): Throwable
{
    try {
        $work();
    } catch (Throwable $thrown) {
        return $thrown;
    }
    exit('nothing was thrown');
}

Keepalive::defaults(); // loads now what a call needs, and the next line what a failure needs
thrown(static function (): void {
    Keepalive::enable(fopen('php://memory', 'r'));
});
posix_setrlimit(POSIX_RLIMIT_NOFILE, 3, 3);
set_error_handler(static function (int $level, string $message): bool {
    throw new ErrorException($message);
});
$thrown = thrown([Keepalive::class, 'defaults']);
echo Keepalive::backend(), ' ', get_class($thrown), ' ', $thrown->getCode();
