<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\SocketException;
use Keepalive\Exception\TypeError;
use Keepalive\Exception\UnavailableException;
use Keepalive\OpenSocket;

use function fstat;
use function get_resource_type;
use function is_array;
use function is_int;
use function is_object;
use function is_resource;

/**
 * The kinds of values that users give as a socket.
 *
 * @internal
 */
final class SocketKind
{
    private const FILE_TYPE = 0170000;
    private const SOCKET = 0140000;

    /** @param mixed $socket */
    public static function isStream($socket): bool
    {
        if (!is_resource($socket)) {
            return false;
        }
        $type = get_resource_type($socket);
        return $type === 'stream' || $type === 'persistent stream';
    }

    /**
     * A Socket of ext-sockets: an object since PHP 8.0, a resource before.
     *
     * @param mixed $socket
     */
    public static function isSocket($socket): bool
    {
        if (is_object($socket)) {
            return $socket instanceof \Socket;
        }
        return PHP_VERSION_ID < 80000 && is_resource($socket) && get_resource_type($socket) === 'Socket';
    }

    /**
     * What fstat() says of the socket behind a stream; null where it says nothing: see HiddenSocket.
     *
     * @param resource $stream
     * @return array<int|string, int>|null
     *
     * @throws SocketException it has none: a file, a pipe, php://memory
     * @throws UnavailableException disable_functions has disabled fstat()
     * @throws TypeError it is closed
     */
    public static function stat($stream): ?array
    {
        try {
            $stat = @fstat($stream);
        } catch (\TypeError $closed) {
            throw TypeError::notASocket($stream, $closed);
        } catch (\StreamException | \Error $none) { // PHP 8.6, as the stream's context may ask for; there is no fstat()
            $stat = null;
        }
        if (!is_array($stat)) {
            Php::need('fstat');
            return null;
        }
        if (($stat['mode'] & self::FILE_TYPE) !== self::SOCKET) {
            throw SocketException::refused(
                'Looking for the socket',
                self::describe($stream),
                Errno::number('ENOTSOCK'),
                ErrnoSentences::BY_NAME['ENOTSOCK']
            );
        }
        return $stat;
    }

    /**
     * The stream that a Socket came from; for a Socket that was not made from a stream, a new stream on the same
     * descriptor, which the Socket owns from then on.
     *
     * @param resource|\Socket $socket
     * @return resource
     */
    public static function streamOf($socket)
    {
        Php::need('socket_export_stream');
        try {
            $stream = Php::quietly(static function () use ($socket) {
                return socket_export_stream($socket);
            });
        } catch (\Error $closed) {
            throw TypeError::closedSocket($closed);
        }
        if ($stream === false) {
            $errno = socket_last_error($socket);
            throw SocketException::refused('Looking for the stream', 'a Socket', $errno, Errno::cause($errno));
        }
        return $stream;
    }

    /**
     * For messages.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     */
    public static function describe($socket): string
    {
        if (is_int($socket)) {
            return "descriptor $socket";
        }
        if ($socket instanceof OpenSocket) {
            return "descriptor {$socket->fd()} ({$socket->local()} to {$socket->remote()})";
        }
        if (self::isStream($socket)) {
            try {
                $type = Php::quietly(static function () use ($socket): string {
                    return stream_get_meta_data($socket)['stream_type']; // this also calls stream_eof()
                });
                return sprintf('stream #%d (%s)', (int) $socket, $type);
            } catch (\TypeError $closed) {
                return 'a stream that was closed meanwhile';
            } catch (\StreamException $noEnd) { // as in stat(); a wrapper in PHP that has no stream_eof()
                return sprintf('stream #%d (user-space)', (int) $socket);
            }
        }
        return 'a Socket';
    }
}
