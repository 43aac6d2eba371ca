<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

use Keepalive\CommandLine\ConnectionTable;
use Keepalive\CommandLine\Libc;
use Keepalive\CommandLine\Process;
use Keepalive\Keepalive;
use Keepalive\Settings;

/**
 * A connection that this process opens to watch it. What the peer sends is discarded.
 *
 * @internal
 */
final class OwnConnection implements Target
{
    private string $address;
    /** @var resource keeps the connection open */
    private $stream;
    private int $inode;
    private int $fd;
    private ?int $end = null;

    public function __construct(string $address, Settings $settings)
    {
        $this->address = $address;
        $this->stream = Keepalive::connect($address, $settings);
        $this->inode = (int) (fstat($this->stream)['ino'] ?? 0);
        $this->fd = Process::descriptors('self')[$this->inode];
    }

    public function name(): string
    {
        return $this->address;
    }

    public function samples(array $previous): array
    {
        $this->end = Libc::drain($this->fd);
        $entry = ConnectionTable::of('self')[$this->inode] ?? null;
        if ($this->end !== null || $entry === null) {
            return [];
        }
        $sample = Sample::take($this->fd, $this->fd, $entry, $previous[$this->inode] ?? null);
        return $sample === null ? [] : [$this->inode => $sample];
    }

    public function ending(int $inode, Sample $last): Ending
    {
        return $this->end();
    }

    /** How it has ended; also if it ended before the first sample. */
    public function end(): Ending
    {
        // It may have ended just after the sample.
        $this->end = $this->end ?? Libc::drain($this->fd) ?? 0;
        return Ending::of($this->end);
    }

    public function isOver(): bool
    {
        return $this->end !== null;
    }
}
