<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Exception\SocketException;

/**
 * The few functions of C that the commands need and neither PHP nor the shared library has.
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
        unsigned getuid(void);
        unsigned getgid(void);
        ssize_t getxattr(const char *path, const char *name, void *value, size_t size);
        int fcntl(int fd, int command, ...);
        void *signal(int number, void *handler);
        int execvp(const char *file, char **arguments);
    ';

    /** Since Linux 5.6 these have the same numbers wherever PHP's FFI runs. */
    private const PIDFD_OPEN = 434;
    private const PIDFD_GETFD = 438;

    private const MSG_DONTWAIT = 0x40;

    private const POLLIN = 1;
    private const F_SETFD = 2;
    private const FD_CLOEXEC = 1;
    private const SIGPIPE = 13;

    public const EPERM = 1;
    public const ESRCH = 3;
    private const EINTR = 4;
    private const EBADF = 9;
    private const EAGAIN = 11;
    private const ENOSYS = 38;

    private const BUFFER_SIZE = 65536;

    private static ?\FFI $c = null;

    /**
     * A descriptor of the process (a pidfd), for hasEnded() and borrow(). Only Process uses these.
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
     * Close it at once: as long as it is open, a close() in the other process sends no FIN.
     *
     * @return int|null null if it is no longer open there
     *
     * @throws SocketException it is not permitted, the kernel is too old, or no descriptor is free here
     */
    public static function borrow(int $pidfd, int $fd): ?int
    {
        $borrowed = self::c()->syscall(self::PIDFD_GETFD, $pidfd, $fd, 0);
        if ($borrowed >= 0) {
            return $borrowed;
        }
        if (!in_array(self::errno(), [self::EBADF, self::ESRCH], true)) {
            throw self::refused("Looking at another process's socket");
        }
        return null;
    }

    public static function close(int $fd): void
    {
        self::c()->close($fd);
    }

    /**
     * Discards the data that has arrived, so that the end after it is noticed too.
     *
     * @return int|null null while the connection is open, 0 if the peer has ended it, else the errno that it ended
     * with, which the kernel reports only once
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

    /** @return array{uid: int, gid: int} the real ones of this process */
    public static function user(): array
    {
        return ['uid' => (int) self::c()->getuid(), 'gid' => (int) self::c()->getgid()];
    }

    /** Whether executing the file would give its process capabilities. */
    public static function hasCapabilities(string $file): bool
    {
        return self::c()->getxattr($file, 'security.capability', null, 0) > 0;
    }

    /**
     * Replaces this process by a program, with the environment that putenv() has made.
     *
     * pcntl_exec() would leave two things of PHP behind: SIGPIPE is ignored, and the running script is an open file.
     *
     * @param string[] $arguments from its name on
     * @return int the errno: it returns only if that failed
     */
    public static function execute(string $file, array $arguments): int
    {
        $c = self::c();
        $count = count($arguments);
        $vector = $c->new('char *[' . ($count + 1) . ']');
        $kept = [];
        foreach (array_values($arguments) as $i => $argument) {
            $kept[] = $text = $c->new('char[' . (strlen($argument) + 1) . ']');
            \FFI::memcpy($text, $argument, strlen($argument));
            $vector[$i] = \FFI::addr($text[0]);
        }
        foreach (@scandir('/proc/self/fd') ?: [] as $fd) {
            if ((int) $fd > 2 && @readlink("/proc/self/fd/$fd") === realpath($_SERVER['SCRIPT_FILENAME'])) {
                $c->fcntl((int) $fd, self::F_SETFD, self::FD_CLOEXEC);
            }
        }
        // PHP ignores SIGPIPE. So does systemd for its services, of which some rely on it: then it stays so.
        if ((int) getenv('SYSTEMD_EXEC_PID') !== getmypid()) {
            $c->signal(self::SIGPIPE, null); // the default
        }
        $c->execvp(strpos($file, '/') === false ? "./$file" : $file, $vector);
        return self::errno();
    }

    private static function refused(string $attempt): SocketException
    {
        $errno = self::errno();
        $causes = [
            self::EPERM => 'EPERM: this needs the permission to debug that process.',
            self::ESRCH => 'ESRCH: there is no such process.',
            self::ENOSYS => 'ENOSYS: this needs Linux 5.6 or newer.',
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
