<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Exception\SocketException;

/**
 * Another process: its TCP sockets, and one of its descriptors at a time, borrowed.
 *
 * @internal
 */
final class Process
{
    private string $pid;
    /** Stands for this process, also when its number is another's. */
    private int $pidfd;

    /** @throws SocketException there is no such process, it is not permitted, or the kernel is too old */
    public function __construct(int $pid)
    {
        $this->pid = (string) $pid;
        $this->pidfd = Libc::openProcess($pid);
        // Without the permission nothing would be seen, as if there were no sockets.
        $this->lend(0);
    }

    public function __destruct()
    {
        if (isset($this->pidfd)) {
            Libc::close($this->pidfd);
        }
    }

    /** "process 4711: php worker.php", in printable ASCII: it goes to a terminal, and its author may be anyone. */
    public function name(): string
    {
        $words = (string) @file_get_contents("/proc/$this->pid/cmdline");
        $command = trim((string) preg_replace('/[^\x21-\x7e]+/', ' ', $words));
        return $command === '' ? "process $this->pid" : "process $this->pid: $command";
    }

    public function hasEnded(): bool
    {
        return Libc::hasEnded($this->pidfd);
    }

    /**
     * What ConnectionTable has of its TCP sockets, with their lowest descriptors.
     *
     * @return array<int, array{fd: int, local: string, remote: string, timer: string, timerIn: float, probes: int}>
     *     by inode, ordered by descriptor
     */
    public function tcpSockets(): array
    {
        if ($this->hasEnded()) {
            return [];
        }
        $table = ConnectionTable::of($this->pid);
        $sockets = [];
        foreach (self::descriptors($this->pid) as $inode => $fd) {
            if (isset($table[$inode])) {
                $sockets[$inode] = ['fd' => $fd] + $table[$inode];
            }
        }
        // Inodes tell no order: each processor counts its own.
        uasort($sockets, static function (array $one, array $other): int {
            return $one['fd'] <=> $other['fd'];
        });
        return $sockets;
    }

    public function hasOpen(int $fd, int $inode): bool
    {
        return self::inode($this->pid, $fd) === $inode;
    }

    /**
     * Does some work with a descriptor of this process for a socket of that one.
     *
     * @template T
     * @param int $fd its number there
     * @param callable(int): T $work gets the number here
     * @return T|null null where it was closed meanwhile, though its number may be another socket's already
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

    /** Of a socket; null where the descriptor is something else, or closed. */
    private static function inode(string $process, int $fd): ?int
    {
        return sscanf((string) @readlink("/proc/$process/fd/$fd"), 'socket:[%d]', $inode) === 1 ? $inode : null;
    }

    /**
     * While it is lent, a close() over there sends no FIN: it is given back at once.
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
