<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

use Keepalive\CommandLine\Process;

/**
 * The TCP sockets of another process. Each is borrowed for a moment to read its options. Pending errors are not read,
 * because the process itself has to get them.
 *
 * @internal
 */
final class OtherProcess implements Target
{
    /** The kernel may give up this many seconds before or after the forecast; that includes the time between samples. */
    private const SLACK = 0.4;

    private Process $process;
    private bool $hasEnded = false;

    public function __construct(int $pid)
    {
        $this->process = new Process($pid);
    }

    public function name(): string
    {
        return $this->process->name();
    }

    public function samples(array $previous): array
    {
        $this->hasEnded = $this->process->hasEnded();
        $samples = [];
        foreach ($this->process->tcpSockets() as $inode => $entry) {
            $before = $previous[$inode] ?? null;
            $sample = $this->process->borrow($entry['fd'], $inode, static function (int $fd) use ($entry, $before): ?Sample {
                return Sample::take($fd, $entry['fd'], $entry, $before);
            });
            if ($sample !== null) {
                $samples[$inode] = $sample;
            }
        }
        return $samples;
    }

    public function ending(int $inode, Sample $last): Ending
    {
        $forecast = new Forecast($last);
        $late = hrtime(true) / 1e9 - $last->at;
        if ($forecast->givesUpIn !== null && $forecast->givesUpIn - $late < self::SLACK) {
            return $last->waiting === null
                ? Ending::named('ETIMEDOUT')
                : Ending::inWords('given up', 'nothing was acknowledged'); // by the user timeout, or because of ICMP
        }
        if ($this->hasEnded) {
            return Ending::inWords('closed, the process has ended');
        }
        if (!$this->process->hasOpen($last->fd, $inode)) {
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
