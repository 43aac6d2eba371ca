<?php

declare(strict_types=1);

namespace Keepalive\Command;

/**
 * The command line is wrong; the message says what is.
 *
 * @internal
 */
final class UsageError extends \RuntimeException
{
}
