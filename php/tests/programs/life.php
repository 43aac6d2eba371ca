<?php

/** What the programs life-*.php share: a connection, and check(). */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Tests\Support\Kernel;

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:0');
$stream = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));

/** @param resource $stream */
function check($stream): string
{
    Keepalive::enable($stream, 42, 7, 3);
    return json_encode(Kernel::options($stream)) . Keepalive::backend() . ' ';
}
