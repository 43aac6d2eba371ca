<?php

/** Which backend there is, and what apply() says where setsockopt() is refused. */

declare(strict_types=1);

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../bootstrap.php';

echo Keepalive::backend(), "\n";
try {
    Keepalive::apply(stream_socket_server('tcp://127.0.0.1:0'), Settings::detectWithin(30));
} catch (SocketException $exception) {
    echo "{$exception->getCode()} {$exception->getMessage()}";
}
