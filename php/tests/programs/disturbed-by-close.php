<?php

/** A signal handler closes the stream that the package uses just then; prints what is thrown. */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;

require __DIR__ . '/disturbed.php';

$closed = 0;
pcntl_signal(SIGUSR1, static function () use (&$stream, &$closed): void {
    if (is_resource($stream)) {
        fclose($stream);
        $closed++;
    }
});
$refused = [];
$start = microtime(true);
while (isTooEarly($start, $closed)) {
    $stream = stream_socket_client($address);
    fclose(stream_socket_accept($listener));
    try {
        for ($i = 0; $i < 1000; $i++) {
            Keepalive::enable($stream, 42, 7, 3, 63000);
            Keepalive::settings($stream);
        }
    } catch (KeepaliveException $exception) {
        $refused[get_class($exception) . ' ' . $exception->getCode()] = true;
    }
}
posix_kill($disturber, SIGKILL);
ksort($refused);
echo $closed > 100 ? 'closed' : "closed $closed times only", ' ', implode(', ', array_keys($refused));
