<?php

/** What the programs disturbed-*.php share: a connection, a child that sends SIGUSR1 again and again, and the end. */

declare(strict_types=1);

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:0');
$address = 'tcp://' . stream_socket_get_name($listener, false);
$stream = stream_socket_client($address);

pcntl_signal(SIGUSR1, SIG_IGN);
$parent = getmypid();
$disturber = pcntl_fork();
if ($disturber === 0) {
    while (posix_getppid() === $parent) {
        posix_kill($parent, SIGUSR1);
        usleep(300);
    }
    posix_kill(getmypid(), SIGKILL);
}
pcntl_async_signals(true);

/** Goes on for two seconds, and on a busy machine until there were more than a hundred disturbances, or for a minute. */
function isTooEarly(float $start, int $disturbances): bool
{
    $seconds = microtime(true) - $start;
    return $seconds < 2 || ($disturbances <= 100 && $seconds < 60);
}
