<?php

declare(strict_types=1);

namespace Keepalive\Exception;

/** This PHP, as it is set up, cannot do it; the message says what to turn on or install. */
final class UnavailableException extends \RuntimeException implements KeepaliveException
{
}
