<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Exception\SocketException;
use Keepalive\Exception\UnavailableException;
use Keepalive\Internal\Library;
use Keepalive\Internal\Values;
use Keepalive\Keepalive;
use Keepalive\OpenSocket;

/**
 * Another process: its TCP sockets. One of its descriptors at a time is borrowed, as pidfd_getfd(2) does.
 *
 * @internal
 */
final class Process
{
    /** The numbers that a process can have, as an option takes them. */
    public const PIDS = [1, Values::MAX_INT];

    private string $pid;
    /** A descriptor for it (a pidfd), which never means another process, even if one gets the same number later. */
    private int $pidfd;
    /** @var array<int, true> inodes of sockets that are not TCP */
    private array $others = [];

    /**
     * @param string $command that will look at processes
     *
     * @throws UnavailableException this system, or this PHP, cannot do it
     */
    public static function needs(string $command): void
    {
        if (PHP_OS_FAMILY !== 'Linux') {
            throw new UnavailableException("keepalive $command works on Linux only.");
        }
        if (!is_dir('/proc/self/fd')) {
            throw new UnavailableException("keepalive $command needs /proc, which is not mounted here.");
        }
        try {
            Library::find();
        } catch (UnavailableException $why) {
            throw new UnavailableException("$command needs FFI and the shared library. {$why->getMessage()}");
        }
    }

    /** @throws SocketException there is no such process, it is not permitted, or the kernel is too old */
    public function __construct(int $pid)
    {
        $this->pid = (string) $pid;
        try {
            $this->pidfd = Libc::openProcess($pid);
        } catch (SocketException $refused) {
            $leader = self::processOfThread($pid);
            throw $leader === null ? $refused : new SocketException(
                "$pid is a thread of process $leader: give --pid $leader.",
                (int) $refused->getCode(),
                $refused
            );
        }
        // Without the permission no sockets would be found, as if there were none.
        try {
            $this->lend(0);
        } catch (SocketException $refused) {
            Libc::close($this->pidfd); // PHP calls no destructor now
            throw $refused->getCode() !== Libc::EPERM ? $refused : new SocketException(
                "{$refused->getMessage()} " . Permission::missing($pid),
                Libc::EPERM
            );
        }
    }

    /** Null for a number that is not a thread's, as htop and top -H show them. */
    private static function processOfThread(int $id): ?int
    {
        $leader = (int) (self::status((string) $id)['Tgid'] ?? $id);
        return $leader === $id ? null : $leader;
    }

    /**
     * /proc/PID/status: its lines by name; empty if there is no such process.
     *
     * @param string $process "self", or a pid
     * @return array<string, string>
     */
    public static function status(string $process): array
    {
        preg_match_all('/^(\w+):\t(.*)$/m', (string) @file_get_contents("/proc/$process/status"), $lines);
        return array_combine($lines[1], $lines[2]);
    }

    /** @return int[] every process that this one can see, in order */
    public static function all(): array
    {
        $pids = array_map('intval', preg_grep('/^\d+$/', scandir('/proc') ?: []) ?: []);
        sort($pids);
        return $pids;
    }

    public function __destruct()
    {
        if (isset($this->pidfd)) {
            Libc::close($this->pidfd);
        }
    }

    /** "process 4711: php worker.php", in printable ASCII, because it goes to a terminal, and any user can choose it. */
    public function name(): string
    {
        return self::title((int) $this->pid, $this->command());
    }

    /** The same, also after its end. @param string $command as command() gave it */
    public static function title(int $pid, string $command): string
    {
        return $command === '' ? "process $pid" : "process $pid: $command";
    }

    /** "php worker.php", also in printable ASCII; empty for a process that has ended. */
    public function command(): string
    {
        $words = (string) @file_get_contents("/proc/$this->pid/cmdline");
        return trim((string) preg_replace('/[^\x21-\x7e]+/', ' ', $words));
    }

    public function hasEnded(): bool
    {
        return Libc::hasEnded($this->pidfd);
    }

    /** The name of its network namespace; empty if that is not known. */
    public function network(): string
    {
        return (string) @readlink("/proc/$this->pid/ns/net");
    }

    /**
     * The entries of ConnectionTable for its TCP sockets, with their lowest descriptors.
     *
     * @param array<int, array{local: string, remote: string, timer: string, timerAt: float, probes: int}>|null $table
     *     of its network, if it was read just before
     * @return array<int, array{fd: int, local: string, remote: string, timer: string, timerAt: float, probes: int}>
     *     by inode, ordered by descriptor
     */
    public function tcpSockets(?array $table = null): array
    {
        $descriptors = $this->hasEnded() ? [] : self::descriptors($this->pid);
        if ($descriptors === []) {
            return [];
        }
        $table = $table ?? ConnectionTable::of($this->pid);
        $this->others = array_intersect_key($this->others, $descriptors); // a watch may last for weeks
        $sockets = [];
        foreach ($descriptors as $inode => $fd) {
            $entry = $table[$inode] ?? $this->outsideTheTable($inode, $fd);
            if ($entry !== null) {
                $sockets[$inode] = ['fd' => $fd] + $entry;
            }
        }
        // Inodes do not show the order: each processor counts its own.
        uasort($sockets, static function (array $one, array $other): int {
            return $one['fd'] <=> $other['fd'];
        });
        return $sockets;
    }

    /**
     * For sockets that were opened since the table was read, and for MPTCP: the table contains only its subflows.
     *
     * @return array{local: string, remote: string, timer: string, timerAt: float, probes: int}|null
     */
    private function outsideTheTable(int $inode, int $fd): ?array
    {
        if (isset($this->others[$inode])) {
            return null;
        }
        $socket = $this->borrow($fd, $inode, static function (int $borrowed): ?OpenSocket {
            try {
                Keepalive::settings($borrowed);
            } catch (SocketException $notTcp) {
                return null;
            }
            foreach (Keepalive::sockets() as $socket) {
                if ($socket->fd() === $borrowed) {
                    return $socket;
                }
            }
            return null;
        });
        if ($socket === null) {
            $this->others[$inode] = true;
            return null;
        }
        // A TCP socket that is not in the table has not connected yet, or is no longer connected.
        return $socket->state() === 'CLOSE' ? null : [
            'local' => $socket->local(),
            'remote' => $socket->remote(),
            'timer' => 'none',
            'timerAt' => 0.0,
            'probes' => 0,
        ];
    }

    public function hasOpen(int $fd, int $inode): bool
    {
        return self::inode($this->pid, $fd) === $inode;
    }

    /**
     * Does some work on a socket of that process, through a descriptor of this process.
     *
     * @template T
     * @param int $fd its number there
     * @param callable(int): T $work gets the number here
     * @return T|null null if it was closed in the meantime; its number may already belong to another socket
     *
     * @throws SocketException it is not permitted
     */
    public function borrow(int $fd, int $inode, callable $work)
    {
        return $this->lend($fd, static function (int $borrowed) use ($inode, $work) {
            return self::inode('self', $borrowed) === $inode ? $work($borrowed) : null;
        });
    }

    /**
     * The lowest descriptor of each socket, TCP or not, by inode.
     *
     * @param string $process "self", or a pid
     * @return array<int, int>
     */
    public static function descriptors(string $process): array
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

    /** Of a socket; null if the descriptor is something else, or closed. */
    private static function inode(string $process, int $fd): ?int
    {
        return sscanf((string) @readlink("/proc/$process/fd/$fd"), 'socket:[%d]', $inode) === 1 ? $inode : null;
    }

    /**
     * While it is borrowed, a close() in the other process sends no FIN, so it is closed at once.
     *
     * @param (callable(int): mixed)|null $work
     * @return mixed
     */
    private function lend(int $fd, ?callable $work = null)
    {
        $borrowed = Libc::borrow($this->pidfd, $fd);
        if ($borrowed === null) {
            return null;
        }
        try {
            return $work === null ? null : $work($borrowed);
        } finally {
            Libc::close($borrowed);
        }
    }
}
