<?php

declare(strict_types=1);

namespace Keepalive\Exception;

/** A value of the wrong type, or outside its range. Thrown before anything is changed. */
final class InvalidArgumentException extends \InvalidArgumentException implements KeepaliveException
{
}
