<?php

declare(strict_types=1);

namespace Keepalive\Exception;

use Keepalive\Internal\Php;

/** The given value is not a socket, or is a closed one. */
final class TypeError extends \TypeError implements KeepaliveException
{
    public static function notASocket($given, ?\Throwable $previous = null): self
    {
        $what = 'A stream resource, a Socket, an int descriptor or an OpenSocket is needed; ' . Php::describe($given);
        $hint = is_object($given) || is_resource($given) ? ' Clients such as PDO, mysqli, Redis and curl hide their '
            . "connections; Keepalive::enableConnectionsTo('host:port') finds these by their address." : '';
        return new self("$what was given.$hint", 0, $previous);
    }

    public static function closedSocket(\Throwable $previous): self
    {
        return new self('The Socket given was closed already; give it before socket_close().', 0, $previous);
    }
}
