<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\{SocketException, TypeError, UnavailableException};

/** What users give as a socket, and ways to the socket behind a stream of which fstat() says nothing. */
final class SocketKind
{
    public static function isStream($socket): bool
    {
        return \is_resource($socket) && \in_array(\get_resource_type($socket), ['stream', 'persistent stream'], true);
    }

    /** Whether it is a Socket of ext-sockets: an object since PHP 8.0, a resource before. */
    public static function isSocket($socket): bool
    {
        return $socket instanceof \Socket
            || (\PHP_VERSION_ID < 80000 && \is_resource($socket) && \get_resource_type($socket) === 'Socket');
    }

    /**
     * What fstat() says of the socket behind a stream; null where it says nothing: see ends().
     *
     * @param resource $stream
     * @return array<int|string, int>|null
     * @throws SocketException it has none: a file, a pipe, php://memory
     * @throws TypeError it is another resource
     */
    public static function stat($stream): ?array
    {
        try {
            $stat = @\fstat($stream);
        } catch (\TypeError $other) {
            throw TypeError::notASocket($stream, $other);
        } catch (\StreamException $none) { // PHP 8.6, as the stream's context may ask for
            return null;
        }
        if ($stat !== false && ($stat['mode'] & 0170000) !== 0140000) { // S_IFMT, S_IFSOCK
            $cause = ErrnoSentences::BY_NAME['ENOTSOCK'];
            throw SocketException::refused('Looking for the socket', $stream, Errno::number('ENOTSOCK'), $cause);
        }
        return $stat ?: null;
    }

    /**
     * The stream that a Socket came from, or a new stream on the same descriptor, which the Socket owns from then on.
     *
     * @param \Socket $socket
     * @return resource|false
     */
    public static function streamOf($socket)
    {
        try {
            return Php::quietly(static fn () => socket_export_stream($socket));
        } catch (\Error $closed) {
            throw TypeError::closedSocket($closed);
        }
    }

    /**
     * Both ends of the connection behind a stream. PHP names them for streams that fopen() makes for http:// and
     * ftp://; those of pg_socket() and of stream_cast() can only be imported.
     *
     * @param resource $stream
     * @return array{string, string}|null local, remote
     */
    public static function ends($stream): ?array
    {
        return Php::quietly(static function () use ($stream): ?array {
            $local = stream_socket_get_name($stream, false);
            $remote = stream_socket_get_name($stream, true);
            if ($local !== false && $remote !== false) {
                return [$local, $remote];
            }
            $socket = extension_loaded('sockets') ? socket_import_stream($stream) : false;
            return $socket !== false && socket_getsockname($socket, $localHost, $localPort)
                && socket_getpeername($socket, $remoteHost, $remotePort)
                ? [self::end($localHost, $localPort), self::end($remoteHost, $remotePort)]
                : null;
        }) ?: null;
    }

    private static function end(string $host, ?int $port): string
    {
        return (strpos($host, ':') === false ? $host : "[$host]") . ":$port";
    }

    /** @param resource $stream of which neither fstat() nor ends() says anything */
    public static function outOfReach($stream): UnavailableException
    {
        $name = Php::describeSocket($stream);
        return new UnavailableException("PHP does not tell which socket is behind $name, if any. If it is a TCP "
            . "connection, Keepalive::enableConnectionsTo('host:port') finds it by its address.");
    }
}
