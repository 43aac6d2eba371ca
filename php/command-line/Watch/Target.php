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
    /** In a few words. */
    public function name(): string;

    /**
     * What there is now.
     *
     * @param Sample[] $previous what this returned the last time
     * @return Sample[] by inode
     */
    public function samples(array $previous): array;

    /** How a socket that is no longer among the samples has ended. @param Sample $last of it */
    public function ending(int $inode, Sample $last): Ending;

    /** Whether there is nothing left to watch, for good. */
    public function isOver(): bool;
}
