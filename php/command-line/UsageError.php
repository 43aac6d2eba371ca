<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

/**
 * The command line is wrong; the message says what is wrong.
 *
 * @internal
 */
final class UsageError extends \RuntimeException
{
}
