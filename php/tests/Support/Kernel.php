<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/**
 * What the kernel reports of a socket, read without any code of this package: the C library's own
 * getsockopt() through FFI, ext-sockets for its own Sockets and where FFI is off, ss for timers.
 */
final class Kernel
{
    private const OPTIONS = [
        'on' => [1, 9],
        'idle' => [6, 4],
        'interval' => [6, 5],
        'count' => [6, 6],
        'userTimeoutMs' => [6, 18],
    ];

    /**
     * SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT and TCP_USER_TIMEOUT; null where the
     * socket has no such option.
     *
     * @param resource|\Socket|int $socket
     * @return array<string, int|null>
     */
    public static function options($socket): array
    {
        $ask = self::asker($socket);
        return array_map(static function (array $option) use ($ask): ?int {
            return $ask(...$option);
        }, self::OPTIONS);
    }

    /** TCP_INFO's first byte. @param resource|\Socket|int $socket */
    public static function tcpState($socket): int
    {
        if (!is_int($socket) && !self::isStream($socket)) {
            return socket_get_option($socket, 6, 11) & 0xFF;
        }
        return self::ofDescriptor(self::descriptor($socket), 6, 11) & 0xFF;
    }

    /**
     * The descriptor of a stream, from /proc.
     *
     * @param resource|int $stream
     */
    public static function descriptor($stream): int
    {
        if (is_int($stream)) {
            return $stream;
        }
        $inode = fstat($stream)['ino'];
        foreach (scandir('/proc/self/fd') ?: [] as $fd) {
            if (@readlink("/proc/self/fd/$fd") === "socket:[$inode]") {
                return (int) $fd;
            }
        }
        throw new \LogicException("No descriptor has inode $inode.");
    }

    /**
     * Where a stream connects to, as /proc/net/tcp has it: PHP does not tell while it is connecting.
     *
     * @param resource $stream IPv4 only
     */
    public static function remoteOf($stream): string
    {
        $inode = fstat($stream)['ino'];
        foreach (file('/proc/self/net/tcp') ?: [] as $line) {
            $fields = preg_split('/\s+/', trim($line));
            if (($fields[9] ?? '') === (string) $inode) {
                [$host, $port] = explode(':', $fields[2]);
                return inet_ntop(strrev((string) hex2bin($host))) . ':' . hexdec($port);
            }
        }
        throw new \LogicException("No IPv4 socket has inode $inode.");
    }

    /** The descriptor of this process's established connection with these IPv4 ends, of which one can be left out. */
    public static function descriptorAt(?string $local, ?string $remote = null): int
    {
        $inKernelsForm = static function (string $address): string {
            [$host, $port] = explode(':', $address);
            return sprintf('%s:%04X', strtoupper(bin2hex(strrev((string) inet_pton($host)))), $port);
        };
        $wanted = array_map($inKernelsForm, array_filter([1 => $local, 2 => $remote])) + [3 => '01'];
        $descriptors = [];
        foreach (scandir('/proc/self/fd') ?: [] as $fd) {
            $descriptors[(string) @readlink("/proc/self/fd/$fd")] = (int) $fd;
        }
        foreach (file('/proc/self/net/tcp') ?: [] as $line) {
            $fields = preg_split('/\s+/', trim($line));
            $fd = $descriptors['socket:[' . ($fields[9] ?? '') . ']'] ?? null;
            if ($fd !== null && array_intersect_key($fields, $wanted) === $wanted) {
                return $fd;
            }
        }
        throw new \LogicException("There is no connection from $local to $remote.");
    }

    /** Whether O_NONBLOCK is set. @param resource $stream */
    public static function isNonBlocking($stream): bool
    {
        $info = file_get_contents('/proc/self/fdinfo/' . self::descriptor($stream));
        preg_match('/^flags:\s*([0-7]+)$/m', (string) $info, $flags);
        return (octdec($flags[1]) & 04000) !== 0;
    }

    /**
     * The timer that runs for the connection between these ports, as "keepalive,59sec,0"; '' for none. One port
     * is not enough: while others run tests as well, it can be a second connection's too.
     */
    public static function timer(int $localPort, int $remotePort): string
    {
        exec("ss -Htno 'sport = :$localPort and dport = :$remotePort' 2>&1", $lines, $status);
        if ($status !== 0) {
            throw new \RuntimeException('ss failed: ' . implode("\n", $lines));
        }
        preg_match('/timer:\(([^)]*)\)/', implode("\n", $lines), $timer);
        return $timer[1] ?? '';
    }

    /** What a fresh socket has, from the sysctls. @return array{idle: int, interval: int, count: int} */
    public static function defaults(): array
    {
        $read = static function (string $name): int {
            return (int) file_get_contents("/proc/sys/net/ipv4/tcp_keepalive_$name");
        };
        return ['idle' => $read('time'), 'interval' => $read('intvl'), 'count' => $read('probes')];
    }

    /** @param resource|\Socket|int $socket */
    private static function asker($socket): callable
    {
        $isStream = self::isStream($socket);
        if (is_int($socket) || ($isStream && method_exists('FFI', 'cdef') && ini_get('ffi.enable') !== '0')) {
            $fd = self::descriptor($socket);
            return static function (int $level, int $option) use ($fd): ?int {
                return self::ofDescriptor($fd, $level, $option);
            };
        }
        $imported = $isStream ? socket_import_stream($socket) : $socket;
        return static function (int $level, int $option) use ($imported): ?int {
            $value = @socket_get_option($imported, $level, $option);
            return is_int($value) ? $value : null;
        };
    }

    /** @param mixed $socket */
    private static function isStream($socket): bool
    {
        return is_resource($socket) && strpos(get_resource_type($socket), 'stream') !== false;
    }

    private static function ofDescriptor(int $fd, int $level, int $option): ?int
    {
        static $libc = null;
        $libc = $libc ?? \FFI::cdef('int getsockopt(int, int, int, void *, unsigned *);');
        $value = $libc->new('int');
        $length = $libc->new('unsigned');
        $length->cdata = 4;
        $status = $libc->getsockopt($fd, $level, $option, \FFI::addr($value), \FFI::addr($length));
        return $status === 0 ? $value->cdata : null;
    }
}
