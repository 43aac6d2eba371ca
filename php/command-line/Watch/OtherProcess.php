<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * The TCP sockets of another process. Each is borrowed for a moment to read its options; errors are
 * left for the process, which is to hear of them.
 *
 * @internal
 */
final class OtherProcess implements Target
{
    /** Seconds by which a verdict may come before or after its time, sampling included. */
    private const SLACK = 0.4;

    private string $pid;
    private int $pidfd;
    private bool $hasEnded = false;

    public function __construct(int $pid)
    {
        $this->pid = (string) $pid;
        $this->pidfd = Libc::openProcess($pid);
        // Without the permission nothing would be seen, as if there were no sockets.
        $borrowed = Libc::borrow($this->pidfd, 0);
        if ($borrowed !== null) {
            Libc::close($borrowed);
        }
    }

    public function name(): string
    {
        return rtrim("process $this->pid: " . Proc::command($this->pid), ': ');
    }

    public function samples(array $previous): array
    {
        $this->hasEnded = Libc::hasEnded($this->pidfd);
        $descriptors = $this->hasEnded ? [] : Proc::sockets($this->pid);
        $samples = [];
        foreach (array_intersect_key(Proc::table($this->pid), $descriptors) as $inode => $entry) {
            $sample = null;
            $fd = $descriptors[$inode];
            $borrowed = Libc::borrow($this->pidfd, $fd);
            if ($borrowed === null) {
                continue;
            }
            try {
                // Unless it was closed, and its number is another socket's already.
                if (Proc::inode('self', $borrowed) === $inode) {
                    $sample = Sample::take($borrowed, $fd, $entry, $previous[$inode] ?? null);
                }
            } finally {
                Libc::close($borrowed);
            }
            if ($sample !== null) {
                $samples[$inode] = $sample;
            }
        }
        // Inodes tell no order: each processor counts its own.
        uasort($samples, static function (Sample $one, Sample $other): int {
            return $one->fd <=> $other->fd;
        });
        return $samples;
    }

    public function ending(int $inode, Sample $last): Ending
    {
        $forecast = new Forecast($last);
        $late = hrtime(true) / 1e9 - $last->at;
        if ($forecast->verdictIn !== null && $forecast->verdictIn - $late < self::SLACK) {
            return $last->waiting === null
                ? Ending::named('ETIMEDOUT')
                : Ending::inWords('given up', 'nothing was acknowledged'); // or ICMP's word for it
        }
        if ($this->hasEnded) {
            return Ending::inWords('closed, the process has ended');
        }
        if (Proc::inode($this->pid, $last->fd) !== $inode) {
            return Ending::inWords('closed by the process');
        }
        if (in_array($last->status->state(), ['ESTABLISHED', 'CLOSE_WAIT'], true)) {
            return Ending::named('ECONNRESET');
        }
        return Ending::inWords($last->isConnected() ? 'closed by both sides' : 'it did not connect');
    }

    public function isOver(): bool
    {
        return $this->hasEnded;
    }
}
