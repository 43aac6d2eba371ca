<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * What /proc tells of a process: its sockets, and the kernel's table of TCP sockets in its network
 * namespace, with the timer that runs for each, which no socket option tells.
 *
 * @internal
 */
final class Proc
{
    /** By their numbers in the sixth column; 3 is a socket in TIME_WAIT, which nobody has open. */
    private const TIMERS = ['none', 'retransmission', 'keepalive', 'none', 'window probe'];

    /** USER_HZ, the unit of times in /proc: 100 in every Linux that PHP's FFI runs on. */
    private const TICKS_PER_SECOND = 100;

    /**
     * @param string $process "self", or a pid
     * @return array<int, int> the lowest descriptor of each socket, by inode
     */
    public static function sockets(string $process): array
    {
        $descriptors = @scandir("/proc/$process/fd") ?: [];
        rsort($descriptors, SORT_NUMERIC);
        $sockets = [];
        foreach ($descriptors as $fd) {
            $inode = self::inode($process, (int) $fd);
            if ($inode !== null) {
                $sockets[$inode] = (int) $fd;
            }
        }
        return $sockets;
    }

    /** Of the socket; null where the descriptor is something else, or closed. */
    public static function inode(string $process, int $fd): ?int
    {
        return sscanf((string) @readlink("/proc/$process/fd/$fd"), 'socket:[%d]', $inode) === 1 ? $inode : null;
    }

    /** The command line in printable ASCII: it goes to a terminal, and its author may be anyone. */
    public static function command(string $process): string
    {
        $words = (string) @file_get_contents("/proc/$process/cmdline");
        return trim((string) preg_replace('/[^\x21-\x7e]+/', ' ', $words));
    }

    /**
     * @param string $process "self", or a pid
     * @return array<int, array{local: string, remote: string, timer: string, timerIn: float, probes: int}> by inode
     */
    public static function table(string $process): array
    {
        $sockets = [];
        foreach (['tcp', 'tcp6'] as $family) { // without IPv6 there is no tcp6
            foreach (array_slice(@file("/proc/$process/net/$family") ?: [], 1) as $line) {
                $columns = preg_split('/\s+/', trim($line));
                [$timer, $ticks] = explode(':', $columns[5]);
                $sockets[(int) $columns[9]] = [
                    'local' => self::address($columns[1]),
                    'remote' => self::address($columns[2]),
                    'timer' => self::TIMERS[(int) $timer] ?? 'unknown',
                    'timerIn' => hexdec($ticks) / self::TICKS_PER_SECOND,
                    'probes' => (int) $columns[8],
                ];
            }
        }
        return $sockets;
    }

    /** From "0100007F:0050": words in the machine's byte order, and a port. */
    private static function address(string $hex): string
    {
        [$words, $port] = explode(':', $hex);
        $bytes = '';
        foreach (str_split($words, 8) as $word) {
            $bytes .= pack('L', hexdec($word));
        }
        $host = inet_ntop($bytes);
        return (strlen($bytes) === 16 ? "[$host]" : $host) . ':' . hexdec($port);
    }
}
