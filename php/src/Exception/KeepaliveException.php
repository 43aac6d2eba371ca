<?php

declare(strict_types=1);

namespace Keepalive\Exception;

/** Everything that this package throws. */
interface KeepaliveException extends \Throwable
{
}
