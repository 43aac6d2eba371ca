<?php

declare(strict_types=1);

namespace Keepalive\Exception;

use Keepalive\Internal\Php;

/** A value of the wrong type, or outside its range. Thrown before anything is changed. */
final class InvalidArgumentException extends \InvalidArgumentException implements KeepaliveException
{
    public static function expected(string $what, $given, string $more = ''): self
    {
        return new self("$what; " . Php::describe($given) . " was given$more.");
    }
}
