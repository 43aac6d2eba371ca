<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\UnavailableException;

/**
 * Streams for which fstat() returns nothing, although there may be a socket behind them.
 *
 * @internal
 */
final class HiddenSocket
{
    /**
     * The two ends of the connection behind a stream for which fstat() returns nothing. PHP reports the names of
     * streams that fopen() makes for http:// and ftp://; those of pg_socket() and of stream_cast() can only be
     * imported.
     *
     * @param resource $stream
     * @return array{string, string}|null local, remote
     */
    public static function ends($stream): ?array
    {
        Php::need('stream_socket_get_name');
        try {
            return Php::quietly(static function () use ($stream): ?array {
                $local = stream_socket_get_name($stream, false);
                $remote = stream_socket_get_name($stream, true);
                if ($local !== false && $remote !== false) {
                    return [$local, $remote];
                }
                $socket = function_exists('socket_import_stream') ? socket_import_stream($stream) : false;
                if (!SocketKind::isSocket($socket)) {
                    return null;
                }
                Php::need('socket_getsockname', 'socket_getpeername');
                return socket_getsockname($socket, $localHost, $localPort)
                    && socket_getpeername($socket, $remoteHost, $remotePort)
                    ? [self::end($localHost, $localPort), self::end($remoteHost, $remotePort)]
                    : null;
            });
        } catch (\StreamException $unknown) { // as in SocketKind::stat()
            return null;
        }
    }

    private static function end(string $host, ?int $port): string
    {
        return (Address::isIpv6($host) ? "[$host]" : $host) . ":$port";
    }

    /** @param resource $stream of which neither fstat() nor ends() says anything */
    public static function outOfReach($stream): UnavailableException
    {
        return new UnavailableException(sprintf(
            'PHP does not tell which socket is behind %s, if any. If it is a TCP connection, '
            . "Keepalive::enableConnectionsTo('host:port') finds it by its address.",
            SocketKind::describe($stream)
        ));
    }
}
