<?php

declare(strict_types=1);

namespace Keepalive\Exception;

/** This PHP cannot do it with its present setup; the message says what to turn on or install. */
final class UnavailableException extends \RuntimeException implements KeepaliveException
{
}
