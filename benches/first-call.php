<?php

/**
 * The first call in a process: first-call.php enable|import. Prints nanoseconds, and how many
 * kilobytes of memory it took (resident, of the whole process).
 */

declare(strict_types=1);

require dirname(__DIR__) . '/php/autoload.php';

function residentKb(): int
{
    preg_match('/^Rss:\s+(\d+)/m', (string) file_get_contents('/proc/self/smaps_rollup'), $found);
    return (int) $found[1];
}

$stream = stream_socket_server('tcp://127.0.0.1:0');
$before = residentKb();
$start = hrtime(true);
if ($argv[1] === 'enable') {
    Keepalive\Keepalive::enable($stream, 60, 10, 6);
} else {
    $socket = socket_import_stream($stream);
    socket_set_option($socket, SOL_TCP, TCP_KEEPINTVL, 10);
    socket_set_option($socket, SOL_TCP, TCP_KEEPCNT, 6);
    socket_set_option($socket, SOL_TCP, TCP_KEEPIDLE, 60);
    socket_set_option($socket, SOL_SOCKET, SO_KEEPALIVE, 1);
}
$elapsed = hrtime(true) - $start;
echo $elapsed, ' ', residentKb() - $before, "\n";
