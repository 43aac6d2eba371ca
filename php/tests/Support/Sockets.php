<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

use Keepalive\Keepalive;

/** Every kind of TCP socket that a PHP program can have, on loopback. */
final class Sockets
{
    /**
     * Streams that PHP's ext-sockets reaches too.
     *
     * @return array<string, callable(): Opened>
     */
    public static function plainStreams(): array
    {
        return [
            'client stream' => static function (): Opened {
                return self::pair('127.0.0.1');
            },
            'client stream over IPv6' => static function (): Opened {
                return self::pair('[::1]');
            },
            'fsockopen stream' => static function (): Opened {
                $listener = self::listener('127.0.0.1');
                $stream = fsockopen('127.0.0.1', self::port($listener), $errno, $message, 5);
                return new Opened($stream, stream_socket_accept($listener, 5), [$listener]);
            },
            'persistent stream' => static function (): Opened {
                $listener = self::listener('127.0.0.1');
                $stream = pfsockopen('127.0.0.1', self::port($listener), $errno, $message, 5);
                return new Opened($stream, stream_socket_accept($listener, 5), [$listener]);
            },
            'listening stream' => static function (): Opened {
                return new Opened(self::listener('127.0.0.1'));
            },
            'listening stream over IPv6' => static function (): Opened {
                return new Opened(self::listener('[::1]'));
            },
            'accepted stream' => static function (): Opened {
                $pair = self::pair('127.0.0.1');
                return new Opened($pair->peer, $pair->socket, [$pair]);
            },
            'accepted stream over IPv6' => static function (): Opened {
                $pair = self::pair('[::1]');
                return new Opened($pair->peer, $pair->socket, [$pair]);
            },
            'non-blocking stream' => static function (): Opened {
                $pair = self::pair('127.0.0.1');
                stream_set_blocking($pair->socket, false);
                return $pair;
            },
            'connecting stream' => static function (): Opened {
                return self::connecting();
            },
            'stream before its TLS handshake' => static function (): Opened {
                return self::tlsPair(false);
            },
            'stream whose peer has closed' => static function (): Opened {
                $pair = self::pair('127.0.0.1');
                fclose($pair->peer);
                return new Opened($pair->socket, null, [$pair]);
            },
        ];
    }

    /**
     * Streams that only FFI reaches.
     *
     * @return array<string, callable(): Opened>
     */
    public static function wrappedStreams(): array
    {
        return [
            'TLS stream after its handshake' => static function (): Opened {
                return self::tlsPair(true);
            },
            'accepted TLS stream after its handshake' => static function (): Opened {
                $pair = self::tlsPair(true);
                return new Opened($pair->peer, $pair->socket, [$pair]);
            },
            'filtered stream' => static function (): Opened {
                $pair = self::pair('127.0.0.1');
                stream_filter_append($pair->socket, 'string.rot13');
                return $pair;
            },
        ];
    }

    /** @return array<string, callable(): Opened> */
    public static function sockets(): array
    {
        return [
            'Socket of socket_create' => static function (): Opened {
                return self::socketPair(AF_INET, '127.0.0.1');
            },
            'Socket of socket_create over IPv6' => static function (): Opened {
                return self::socketPair(AF_INET6, '::1');
            },
            'unconnected Socket' => static function (): Opened {
                return new Opened(socket_create(AF_INET, SOCK_STREAM, SOL_TCP));
            },
            'listening Socket' => static function (): Opened {
                $listener = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
                socket_bind($listener, '127.0.0.1');
                socket_listen($listener);
                return new Opened($listener);
            },
            'Socket of socket_accept' => static function (): Opened {
                $pair = self::socketPair(AF_INET, '127.0.0.1');
                return new Opened($pair->peer, $pair->socket, [$pair]);
            },
            'Socket of socket_import_stream' => static function (): Opened {
                $pair = self::pair('127.0.0.1');
                return new Opened(socket_import_stream($pair->socket), $pair->peer, [$pair]);
            },
        ];
    }

    /**
     * Numbers, which only FFI reaches.
     *
     * @return array<string, callable(): Opened>
     */
    public static function descriptors(): array
    {
        return [
            'int descriptor' => static function (): Opened {
                $pair = self::pair('127.0.0.1');
                $fd = Kernel::descriptor($pair->socket);
                return new Opened($fd, $pair->peer, [$pair], $pair->socket);
            },
            'OpenSocket' => static function (): Opened {
                $pair = self::pair('127.0.0.1');
                // By both ends: connections to different ports may share the local one.
                $ends = [stream_socket_get_name($pair->socket, false), stream_socket_get_name($pair->socket, true)];
                foreach (Keepalive::sockets() as $open) {
                    if ([$open->local(), $open->remote()] === $ends) {
                        return new Opened($open, $pair->peer, [$pair], $pair->socket);
                    }
                }
                throw new \LogicException('Keepalive::sockets() has not found it.');
            },
        ];
    }

    /** @return callable(): Opened */
    public static function kind(string $name): callable
    {
        return (self::plainStreams() + self::wrappedStreams() + self::sockets() + self::descriptors())[$name];
    }

    /**
     * A client stream and its accepted peer.
     *
     * @param resource|null $serverContext
     * @param resource|null $clientContext
     */
    public static function pair(string $host, $serverContext = null, $clientContext = null): Opened
    {
        $listener = self::listener($host, $serverContext);
        $client = stream_socket_client(
            "tcp://$host:" . self::port($listener),
            $errno,
            $message,
            5,
            STREAM_CLIENT_CONNECT,
            $clientContext ?? stream_context_create()
        );
        return new Opened($client, stream_socket_accept($listener, 5), [$listener]);
    }

    /**
     * @param resource|null $context
     * @return resource
     */
    public static function listener(string $host, $context = null)
    {
        $flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
        return stream_socket_server("tcp://$host:0", $errno, $message, $flags, $context ?? stream_context_create());
    }

    /** The local port. @param resource $stream */
    public static function port($stream): int
    {
        return (int) substr((string) strrchr((string) stream_socket_get_name($stream, false), ':'), 1);
    }

    /** With certificates for localhost, and the handshake done or not. */
    public static function tlsPair(bool $handshake): Opened
    {
        $pair = self::pair(
            '127.0.0.1',
            stream_context_create(['ssl' => ['local_cert' => Certificates::of('localhost')]]),
            stream_context_create(['ssl' => ['cafile' => Certificates::authority()]])
        );
        if (!$handshake) {
            return $pair;
        }
        // Both ends are in this process, so neither may wait for the other.
        stream_set_blocking($pair->socket, false);
        stream_set_blocking($pair->peer, false);
        $client = $server = 0;
        $deadline = microtime(true) + 10;
        while (($client === 0 || $server === 0) && microtime(true) < $deadline) {
            $client = $client ?: stream_socket_enable_crypto($pair->socket, true, STREAM_CRYPTO_METHOD_TLS_CLIENT);
            $server = $server ?: stream_socket_enable_crypto($pair->peer, true, STREAM_CRYPTO_METHOD_TLS_SERVER);
        }
        if ($client !== true || $server !== true) {
            throw new \LogicException('The TLS handshake within the test has failed.');
        }
        stream_set_blocking($pair->socket, true);
        stream_set_blocking($pair->peer, true);
        return $pair;
    }

    /** In SYN_SENT: to a listener whose queue is full, which answers nothing. */
    public static function connecting(): Opened
    {
        $listener = self::listener('127.0.0.1', stream_context_create(['socket' => ['backlog' => 1]]));
        $clients = [];
        for ($i = 0; $i < 8; $i++) {
            $client = stream_socket_client(
                'tcp://127.0.0.1:' . self::port($listener),
                $errno,
                $message,
                5,
                STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT
            );
            $clients[] = $client;
            usleep(20000);
            if (Kernel::tcpState($client) === 2) {
                return new Opened($client, null, [$listener, $clients]);
            }
        }
        throw new \LogicException('No connection stays in SYN_SENT here.');
    }

    private static function socketPair(int $family, string $host): Opened
    {
        $listener = socket_create($family, SOCK_STREAM, SOL_TCP);
        socket_bind($listener, $host);
        socket_listen($listener);
        socket_getsockname($listener, $address, $port);
        $client = socket_create($family, SOCK_STREAM, SOL_TCP);
        socket_connect($client, $host, $port);
        return new Opened($client, socket_accept($listener), [$listener]);
    }
}
