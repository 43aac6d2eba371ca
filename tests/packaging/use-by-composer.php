<?php

// For tests/packaging/composer.bats, in a project that has the package: where the library was found,
// and what the kernel has after enable().

declare(strict_types=1);

require getcwd() . '/vendor/autoload.php';

use Keepalive\Internal\Library;
use Keepalive\Keepalive;

$listener = stream_socket_server('tcp://127.0.0.1:0');
$stream = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));
Keepalive::enable($stream, 61, 11, 7);
$socket = socket_import_stream($stream); // the sockets extension, not this package, asks the kernel
printf(
    "%s %s %d %d/%d/%d\n",
    Keepalive::backend(),
    Keepalive::backend() === 'ffi' ? str_replace(getcwd() . '/', '', Library::find()) : 'nowhere',
    socket_get_option($socket, SOL_SOCKET, SO_KEEPALIVE),
    socket_get_option($socket, SOL_TCP, 4), // TCP_KEEPIDLE and so on, which PHP 7.4 has no names for
    socket_get_option($socket, SOL_TCP, 5),
    socket_get_option($socket, SOL_TCP, 6)
);
