<?php

/** The deliberate mistake of overflow.c, made from PHP: overflow.php LIBRARY */

declare(strict_types=1);

$ffi = FFI::cdef((string) file_get_contents(dirname(__DIR__, 2) . '/php/keepalive-ffi.h'), $argv[1]);
$servers = [stream_socket_server('tcp://127.0.0.1:0'), stream_socket_server('tcp://127.0.0.1:0')];
$one = $ffi->new('ka_socket[1]');
echo $ffi->ka_sockets(FFI::addr($one[0]), 2), " sockets, and nobody has noticed\n";
