<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Exception\SocketException;

/**
 * The few system calls that `keepalive watch` needs and neither PHP nor the shared library has.
 *
 * @internal
 */
final class Libc
{
    private const DECLARATIONS = '
        long syscall(long number, ...);
        ssize_t recv(int fd, void *buffer, size_t length, int flags);
        int close(int fd);
        struct pollfd { int fd; short events; short revents; };
        int poll(struct pollfd *descriptors, unsigned long count, int milliseconds);
        int *__errno_location(void);
        char *strerror(int error);
    ';

    /** Since Linux 5.6 these have the same numbers wherever PHP's FFI runs. */
    private const PIDFD_OPEN = 434;
    private const PIDFD_GETFD = 438;

    private const MSG_DONTWAIT = 0x40;

    private const POLLIN = 1;

    private const EPERM = 1;
    private const ESRCH = 3;
    private const EINTR = 4;
    private const EAGAIN = 11;
    private const ENOSYS = 38;

    private const BUFFER_SIZE = 65536;

    private static ?\FFI $c = null;

    /**
     * A descriptor that stands for the process, for hasEnded() and borrow().
     *
     * Process is the way to use these.
     *
     * @throws SocketException there is no such process, or the kernel is too old
     */
    public static function openProcess(int $pid): int
    {
        $pidfd = self::c()->syscall(self::PIDFD_OPEN, $pid, 0);
        if ($pidfd < 0) {
            throw self::refused("Opening process $pid");
        }
        return $pidfd;
    }

    public static function hasEnded(int $pidfd): bool
    {
        $poll = self::c()->new('struct pollfd');
        $poll->fd = $pidfd;
        $poll->events = self::POLLIN;
        return self::c()->poll(\FFI::addr($poll), 1, 0) > 0;
    }

    /**
     * A descriptor of this process for the socket that the other process knows as $fd.
     *
     * To be given back at once: while there is one, a close() over there sends no FIN.
     *
     * @return int|null null if it is no longer open there
     *
     * @throws SocketException it is not permitted, or the kernel is too old
     */
    public static function borrow(int $pidfd, int $fd): ?int
    {
        $borrowed = self::c()->syscall(self::PIDFD_GETFD, $pidfd, $fd, 0);
        if ($borrowed >= 0) {
            return $borrowed;
        }
        if (in_array(self::errno(), [self::EPERM, self::ENOSYS], true)) {
            throw self::refused("Looking at another process's socket");
        }
        return null;
    }

    public static function close(int $fd): void
    {
        self::c()->close($fd);
    }

    /**
     * Throws away what has arrived, so that what follows it is noticed too.
     *
     * @return int|null null while the connection stands, 0 when the peer has ended it, else the errno
     *     that it ended with, which a program hears once only
     */
    public static function drain(int $fd): ?int
    {
        static $buffer = null;
        $buffer = $buffer ?? self::c()->new('char[' . self::BUFFER_SIZE . ']');
        do {
            $received = self::c()->recv($fd, \FFI::addr($buffer[0]), self::BUFFER_SIZE, self::MSG_DONTWAIT);
        } while ($received > 0);
        if ($received === 0) {
            return 0;
        }
        $errno = self::errno();
        return $errno === self::EAGAIN || $errno === self::EINTR ? null : $errno;
    }

    /** "Connection timed out" and so on. */
    public static function describe(int $errno): string
    {
        return \FFI::string(self::c()->strerror($errno));
    }

    private static function refused(string $attempt): SocketException
    {
        $errno = self::errno();
        $causes = [
            self::EPERM => 'EPERM: it takes the permission to debug that process. Try as root, or as its user where '
                . '/proc/sys/kernel/yama/ptrace_scope is missing or 0.',
            self::ESRCH => 'ESRCH: there is no such process.',
            self::ENOSYS => 'ENOSYS: it takes Linux 5.6.',
        ];
        return new SocketException("$attempt failed: " . ($causes[$errno] ?? self::describe($errno) . '.'), $errno);
    }

    private static function errno(): int
    {
        return self::c()->__errno_location()[0];
    }

    private static function c(): \FFI
    {
        return self::$c ?? self::$c = \FFI::cdef(self::DECLARATIONS);
    }
}
