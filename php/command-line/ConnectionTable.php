<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Internal\Php;

/**
 * The kernel's table of TCP sockets, with the running timer of each, which no socket option shows.
 *
 * @internal
 */
final class ConnectionTable
{
    /** For sscanf(): number, both addresses, state, queues, timer and its ticks, repetitions, user, probes, inode. */
    private const COLUMNS = '%*d: %s %s %*x %*x:%*x %x:%x %*x %*d %d %d';

    /** By the timer's number; 3 is a socket in TIME_WAIT, which no process has open. */
    private const TIMERS = ['none', 'retransmission', 'keepalive', 'none', 'window probe'];

    /** USER_HZ, the unit of times in /proc: 100 in every Linux that PHP's FFI runs on. */
    private const TICKS_PER_SECOND = 100;

    /**
     * The table of a process's network namespace; empty if /proc cannot be read.
     *
     * @param string $process "self", or a pid
     * @return array<int, array{local: string, remote: string, timer: string, timerAt: float, probes: int}>
     *     by inode; timerAt in seconds on the clock of hrtime()
     */
    public static function of(string $process): array
    {
        $sockets = [];
        foreach (['tcp', 'tcp6'] as $family) {
            $lines = Php::quietly(static function () use ($process, $family) {
                return file("/proc/$process/net/$family"); // without IPv6 there is no tcp6
            });
            $now = hrtime(true) / 1e9;
            foreach (array_slice($lines ?: [], 1) as $line) {
                $columns = sscanf($line, self::COLUMNS);
                if (!is_array($columns)) {
                    continue;
                }
                [$local, $remote, $timer, $ticks, $probes, $inode] = $columns;
                $sockets[(int) $inode] = [
                    'local' => self::address((string) $local),
                    'remote' => self::address((string) $remote),
                    'timer' => self::TIMERS[(int) $timer] ?? 'unknown',
                    'timerAt' => $now + (int) $ticks / self::TICKS_PER_SECOND,
                    'probes' => (int) $probes,
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
            $bytes .= pack('L', (int) hexdec($word));
        }
        $host = (string) inet_ntop($bytes);
        if (strncmp($host, '::ffff:', 7) === 0 && strpos($host, '.') !== false) { // IPv4 on an IPv6 socket
            return substr($host, 7) . ':' . hexdec($port);
        }
        return (strlen($bytes) === 16 ? "[$host]" : $host) . ':' . hexdec($port);
    }
}
