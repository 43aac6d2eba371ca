<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\SocketException;
use Keepalive\OpenSocket;

use function get_resource_type;
use function is_int;
use function is_object;
use function is_resource;

/**
 * Tells apart what users give as a socket.
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
     * Whether fstat() of a stream tells of a socket.
     *
     * @param array<string, int>|false $stat
     */
    public static function isStatOfSocket($stat): bool
    {
        return $stat !== false && ($stat['mode'] & self::FILE_TYPE) === self::SOCKET;
    }

    /**
     * For a stream that has no socket: a file, a pipe, php://memory.
     *
     * @param resource $stream
     */
    public static function notASocket($stream): SocketException
    {
        return SocketException::refused(
            'Looking for the socket',
            self::describe($stream),
            Errno::number('ENOTSOCK'),
            Errno::CAUSES['ENOTSOCK']
        );
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
            return sprintf('stream #%d (%s)', (int) $socket, stream_get_meta_data($socket)['stream_type']);
        }
        return 'a Socket';
    }
}
