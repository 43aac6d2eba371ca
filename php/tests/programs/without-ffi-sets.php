<?php

/** Without FFI: sets and reads a listener, a connection and a Socket. */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\Kernel;

$listener = stream_socket_server('tcp://127.0.0.1:0');
$stream = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));
$accepted = socket_accept(socket_import_stream($listener));
$kernel = $settings = $after = [];
foreach ([$listener, $stream, $accepted] as $socket) {
    Keepalive::enable($socket, 42, 7, 3, 63000);
    $kernel[] = Kernel::options($socket);
    $settings[] = Keepalive::settings($socket) == Settings::of(42, 7, 3, 63000);
    Keepalive::disable($socket);
    $after[] = Kernel::options($socket)['on'];
}
return [Keepalive::backend(), $kernel, $settings, $after, Keepalive::defaults()->enabled()];
