<?php

declare(strict_types=1);

namespace Keepalive\Internal;

/** Errnos by name and number, and their likely cause, for use without the library. */
final class Errno
{
    /** A user timeout was refused by a socket that takes the other options. */
    public const NO_USER_TIMEOUT = 'ENOPROTOOPT: this socket has no user timeout: MPTCP has none on Linux, and some '
        . 'other systems have none at all. Keepalive works without it: Keepalive::enable($socket, $idle, $interval, '
        . '$count).';

    /** Those that ext-sockets has no name for, or that are needed without ext-sockets. */
    private const NUMBERS = [
        'ERANGE' => 34,
        'ENOTSOCK' => PHP_OS_FAMILY === 'Linux' ? 88 : 38,
        'ETIMEDOUT' => PHP_OS_FAMILY === 'Linux' ? 110 : 60,
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
}
