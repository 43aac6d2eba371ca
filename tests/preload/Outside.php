<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Support\Kernel;

/**
 * The TCP connections of other processes, read from outside: /proc has their addresses, and a copy of
 * the socket itself, by pidfd_getfd(2), has its options.
 */
final class Outside
{
    private const SYS_PIDFD_OPEN = 434;
    private const SYS_PIDFD_GETFD = 438;

    public const ESTABLISHED = '01';
    public const LISTEN = '0A';

    /**
     * What client sockets connected to this port have, and who has them: the inode is the key.
     *
     * @return array<int, array<string, int|null>> as Kernel::options()
     */
    public static function connectionsTo(int $port): array
    {
        return self::options(static fn (int $local, int $remote, string $state): bool
            => $remote === $port && $state === self::ESTABLISHED);
    }

    /** @return array<int, array<string, int|null>> the connections that this port has accepted */
    public static function acceptedAt(int $port): array
    {
        return self::options(static fn (int $local, int $remote, string $state): bool
            => $local === $port && $state === self::ESTABLISHED);
    }

    /** @return array<int, array<string, int|null>> */
    public static function listenersAt(int $port): array
    {
        return self::options(static fn (int $local, int $remote, string $state): bool
            => $local === $port && $state === self::LISTEN);
    }

    /** Ends the accepted connections of this port by a reset, as a server does that restarts. */
    public static function cutAt(int $port): void
    {
        exec("ss -KHtn state established 'sport = :$port' 2>&1", $cut, $status);
        if ($status !== 0 || $cut === []) {
            throw new \RuntimeException("ss -K has cut nothing at port $port (the kernel needs "
                . 'CONFIG_INET_DIAG_DESTROY, and this user CAP_NET_ADMIN): ' . implode("\n", $cut));
        }
    }

    /** @return array<int, array<string, int|null>> */
    private static function options(callable $isMeant): array
    {
        $inodes = [];
        foreach (['tcp', 'tcp6'] as $table) {
            foreach (array_slice(file("/proc/net/$table") ?: [], 1) as $line) {
                $fields = preg_split('/\s+/', trim($line));
                [$local, $remote] = [self::port($fields[1]), self::port($fields[2])];
                if ($isMeant($local, $remote, $fields[3]) && $fields[9] !== '0') {
                    $inodes["socket:[$fields[9]]"] = (int) $fields[9];
                }
            }
        }
        $found = [];
        foreach (glob('/proc/[0-9]*/fd/*') ?: [] as $path) {
            $inode = $inodes[(string) @readlink($path)] ?? null;
            [, , $pid, , $fd] = explode('/', $path);
            if ($inode !== null && (int) $pid !== getmypid()) {
                $found[$inode] = self::read((int) $pid, (int) $fd);
            }
        }
        return $found;
    }

    private static function port(string $address): int
    {
        return (int) hexdec(explode(':', $address)[1]);
    }

    /** @return array<string, int|null> */
    private static function read(int $pid, int $fd): array
    {
        static $libc = null;
        $libc = $libc ?? \FFI::cdef('long syscall(long, ...); int close(int);');
        $process = $libc->syscall(self::SYS_PIDFD_OPEN, $pid, 0);
        $copy = $libc->syscall(self::SYS_PIDFD_GETFD, $process, $fd, 0);
        $libc->close($process);
        if ($copy < 0) {
            throw new \RuntimeException("pidfd_getfd() of descriptor $fd of process $pid failed; it needs Linux 5.6.");
        }
        try {
            return Kernel::options($copy);
        } finally {
            $libc->close($copy);
        }
    }
}
