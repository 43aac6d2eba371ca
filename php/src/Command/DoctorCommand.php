<?php

declare(strict_types=1);

namespace Keepalive\Command;

use Keepalive\Keepalive;

/**
 * keepalive doctor: what this PHP can do, and why not.
 *
 * @internal
 */
final class DoctorCommand implements Command
{
    public function summary(): string
    {
        return 'what this PHP can do for keepalive, and why not';
    }

    public function help(): string
    {
        return "Usage: keepalive doctor\n\nSays which backend this PHP uses.\n";
    }

    public function run(array $arguments): int
    {
        if ($arguments !== []) {
            throw new UsageError("doctor does not take \"$arguments[0]\".");
        }
        echo 'Backend: ' . Keepalive::backend() . "\n";
        return Application::OK;
    }
}
