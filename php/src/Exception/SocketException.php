<?php

declare(strict_types=1);

namespace Keepalive\Exception;

/**
 * The system refused: the code is the errno, or 0 if there is none (a failed TLS handshake).
 */
final class SocketException extends \RuntimeException implements KeepaliveException
{
    /**
     * @param string $attempt what was tried, naming the options
     * @param string $socket what it was tried on
     * @param string $cause "ENAME: likely cause."
     */
    public static function refused(string $attempt, string $socket, int $errno, string $cause): self
    {
        return new self(sprintf('%s failed on %s: %s', $attempt, $socket, $cause), $errno);
    }
}
