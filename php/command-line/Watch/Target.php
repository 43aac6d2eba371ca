<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * What is watched.
 *
 * @internal
 */
interface Target
{
    /** What is watched, in a few words. */
    public function name(): string;

    /**
     * The sockets as they are now.
     *
     * @param Sample[] $previous the result of the last call
     * @return Sample[] by inode
     */
    public function samples(array $previous): array;

    /**
     * How a socket that is no longer among the samples has ended.
     *
     * @param Sample $last of it
     */
    public function ending(int $inode, Sample $last): Ending;

    /** Whether there is nothing more to watch. */
    public function isOver(): bool;
}
