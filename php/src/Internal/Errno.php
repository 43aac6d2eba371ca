<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\SocketException;

/**
 * Errnos by name, and their likely cause: what ka_strerror() says, for when there is no library.
 *
 * @internal
 */
final class Errno
{
    /** A test compares these with ka_strerror(). */
    public const CAUSES = [
        'EACCES' => 'EACCES: a security policy (seccomp, a cgroup hook, SELinux) refused the system call.',
        'EAFNOSUPPORT' => 'EAFNOSUPPORT: this system has neither IPv4 nor IPv6 sockets.',
        'EBADF' => 'EBADF: not an open descriptor; it is negative, or was closed already.',
        'EINVAL' => 'EINVAL: a value is outside its range, or the kernel refused it; on Linux idle and interval '
            . 'are 1 to 32767 seconds, the count is 1 to 127 probes, and a user timeout is 0 to 2147483647 '
            . 'milliseconds.',
        'EMFILE' => 'EMFILE: this process has no free descriptor; close some, or raise RLIMIT_NOFILE.',
        'ENFILE' => 'ENFILE: the system has no free file; close some, or raise fs.file-max.',
        'ENOBUFS' => 'ENOBUFS: the kernel has no memory for it now.',
        'ENOMEM' => 'ENOMEM: the kernel has no memory for it now.',
        'ENOPROTOOPT' => 'ENOPROTOOPT: the socket is not TCP (UDP, raw or netlink, perhaps), or this platform has no '
            . 'such option.',
        'ENOTSOCK' => 'ENOTSOCK: the descriptor is a file, pipe or device, not a socket.',
        'EOPNOTSUPP' => 'EOPNOTSUPP: the socket is not TCP (unix or UDP, perhaps), or has no such option.',
        'EPERM' => 'EPERM: a security policy (seccomp, a cgroup hook) refused the system call.',
        'ERANGE' => 'ERANGE: the system\'s default (sysctl net.ipv4.tcp_keepalive_time, _intvl, _probes) is more, or '
            . 'less, than a socket accepts; give a value of your own.',
    ];

    /** Those that ext-sockets does not name, or that are needed where it is missing. */
    private const NUMBERS = [
        'EBADF' => 9,
        'EMFILE' => 24,
        'ENFILE' => 23,
        'ERANGE' => 34,
        'ENOTSOCK' => PHP_OS_FAMILY === 'Linux' ? 88 : (PHP_OS_FAMILY === 'Solaris' ? 95 : 38),
    ];

    /** This platform's number; -1 where it has none. */
    public static function number(string $name): int
    {
        return self::NUMBERS[$name] ?? (defined("SOCKET_$name") ? constant("SOCKET_$name") : -1);
    }

    /** "ENAME: likely cause." for an errno that ext-sockets reported. */
    public static function cause(int $errno): string
    {
        foreach (self::CAUSES as $name => $cause) {
            if (self::number($name) === $errno) {
                return $cause;
            }
        }
        return socket_strerror($errno) . '.';
    }

    /**
     * Loads what ofFullTable() needs and what says so: PHP cannot read a class's file where no descriptor is
     * free. For workers that leak descriptors.
     */
    public static function prepare(): void
    {
        foreach ([SocketException::class, Quietly::class] as $class) {
            class_exists($class);
        }
    }

    /**
     * EMFILE or ENFILE where this process can open nothing now, otherwise 0: PHP says of a connection or a look-up that
     * failed for it "Unknown error", or that the name is unknown.
     */
    public static function ofFullTable(): int
    {
        $warnings = [];
        Quietly::call(static function (): void {
            // fopen() shows whether a descriptor is free; stream_socket_pair() tells why none is.
            if (fopen(__FILE__, 'r') === false && function_exists('stream_socket_pair')) {
                stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
            }
        }, $warnings);
        preg_match('/\[(\d+)\]/', end($warnings) ?: '', $errno);
        $known = [self::number('EMFILE'), self::number('ENFILE')];
        return in_array((int) ($errno[1] ?? 0), $known, true) ? (int) $errno[1] : 0;
    }
}
