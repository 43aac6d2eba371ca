<?php

/** What 200,000 calls leave behind: descriptors, PHP's memory, the process's memory. */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:0');
$stream = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));
$resident = static function (): int {
    gc_collect_cycles();
    preg_match('/^Anonymous:\s+(\d+)/m', (string) file_get_contents('/proc/self/smaps_rollup'), $found);
    return (int) $found[1];
};
$rounds = static function (int $rounds) use ($stream): void {
    for ($i = 0; $i < $rounds; $i++) {
        Keepalive::enable($stream, 42, 7, 3);
        Keepalive::settings($stream);
        Keepalive::disable($stream);
        try {
            Keepalive::enable($stream, 0, 0, 128);
        } catch (KeepaliveException $exception) {
        }
    }
};
$descriptors = count(scandir('/proc/self/fd'));
$used = $grown = $residentBefore = $residentAfter = 0;
$rounds(20000);
$residentBefore = $resident();
$used = memory_get_usage();
$rounds(50000);
$grown = memory_get_usage() - $used;
$residentAfter = $resident();
// 200,000 calls: one byte left by each would be 195 KB. Less is malloc, and pages that are first used now.
echo count(scandir('/proc/self/fd')) - $descriptors, " $grown ",
    $residentAfter - $residentBefore < 195 ? 'flat' : "from $residentBefore to $residentAfter KB";
