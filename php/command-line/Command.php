<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

/**
 * A subcommand of php/bin/keepalive; Application lists them.
 *
 * @internal
 */
interface Command
{
    /** One line for `keepalive help`. */
    public function summary(): string;

    /** For `keepalive help NAME`: how to call it, what it does, its exit statuses. Ends with a newline. */
    public function help(): string;

    /**
     * @param string[] $arguments those after the command's name
     * @return int the exit status; Application has names for those that all commands share
     *
     * @throws UsageError
     */
    public function run(array $arguments): int;
}
