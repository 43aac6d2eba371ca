<?php

declare(strict_types=1);

namespace Keepalive\Exception;

use Keepalive\Internal\Php;

/** The system refused: the code is the errno, or 0 if there is none (a failed TLS handshake). */
final class SocketException extends \RuntimeException implements KeepaliveException
{
    /** @param mixed $socket what $attempt was tried on; $cause is "ENAME: likely cause." */
    public static function refused(string $attempt, $socket, int $errno, string $cause): self
    {
        return new self("$attempt failed on " . Php::describeSocket($socket) . ": $cause", $errno);
    }
}
