<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\SocketException;

/**
 * Errnos by name and number, and their likely cause, for use without the library.
 *
 * @internal
 */
final class Errno
{
    /** A user timeout was refused by a socket that takes the other options. */
    public const NO_USER_TIMEOUT = 'ENOPROTOOPT: this socket has no user timeout: MPTCP has none on Linux, and some other '
        . 'systems have none at all. Keepalive works without it: Keepalive::enable($socket, $idle, $interval, $count).';

    /** Those that ext-sockets has no name for, or that are needed without ext-sockets. */
    private const NUMBERS = [
        'EBADF' => 9,
        'EMFILE' => 24,
        'ENFILE' => 23,
        'ERANGE' => 34,
        'ETIMEDOUT' => PHP_OS_FAMILY === 'Linux' ? 110 : (PHP_OS_FAMILY === 'Solaris' ? 145 : 60),
        'ENOTSOCK' => PHP_OS_FAMILY === 'Linux' ? 88 : (PHP_OS_FAMILY === 'Solaris' ? 95 : 38),
    ];

    /** This platform's number; -1 if it has none. */
    public static function number(string $name): int
    {
        return self::NUMBERS[$name] ?? (defined("SOCKET_$name") ? constant("SOCKET_$name") : -1);
    }

    /** "ENAME: likely cause." for an errno that ext-sockets reported. */
    public static function cause(int $errno): string
    {
        foreach (ErrnoSentences::BY_NAME as $name => $cause) {
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
        foreach ([SocketException::class, ErrnoSentences::class, Php::class] as $class) {
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
        Php::quietly(static function (): void {
            // fopen() shows whether a descriptor is free; stream_socket_pair() tells why none is.
            // A context of its own: since PHP 8.6 the default one can have fopen() throw, or say nothing.
            if (fopen(__FILE__, 'r', false, stream_context_create()) === false && function_exists('stream_socket_pair')) {
                stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
            }
        }, $warnings);
        preg_match('/\[(\d+)\]/', end($warnings) ?: '', $errno);
        $known = [self::number('EMFILE'), self::number('ENFILE')];
        return in_array((int) ($errno[1] ?? 0), $known, true) ? (int) $errno[1] : 0;
    }
}
