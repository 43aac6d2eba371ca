<?php

declare(strict_types=1);

namespace Keepalive;

use Keepalive\Exception\{InvalidArgumentException, KeepaliveException, SocketException, TypeError, UnavailableException};
use Keepalive\Internal\{Backend, Connections, Connector, FfiBackend, Library, SocketKind, SocketsBackend, Values};

/**
 * TCP keepalive on PHP's sockets: stream resources (TCP client, server or accepted; TLS before or after the handshake;
 * connecting, non-blocking, persistent, filtered), Sockets of ext-sockets, int descriptors, and OpenSockets.
 *
 * Everything thrown implements Keepalive\Exception\KeepaliveException, except PHP's own TypeError where an argument
 * does not have the declared type (an address that is not a string, for instance).
 */
final class Keepalive
{
    /** The package's version; a test compares it with Cargo.toml. */
    public const VERSION = '1.0.0';

    /** As a value: the one that a fresh socket of this system has. */
    public const SYSTEM_DEFAULT = Values::SYSTEM_DEFAULT;

    /** As a value: leaves the socket's own as it is. */
    public const UNCHANGED = Values::UNCHANGED;

    private static ?Backend $backend = null;
    private static ?SocketsBackend $forSockets = null;

    /**
     * Turns keepalive on: after $idle seconds of silence the peer is probed every $interval seconds. After $count
     * unanswered probes the kernel gives the connection up, and reads fail with ETIMEDOUT. The default values notice a
     * dead peer in two minutes. Settings::detectWithin() chooses all four values for you.
     *
     * While sent data is unacknowledged there are no probes; $userTimeoutMs limits that time. Without it the socket
     * keeps its own user timeout, which would replace $count: after Settings::detectWithin(), give 0. Another call is
     * harmless, except while probes are unanswered: each call then sends one more, which counts.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     * @param int $idle seconds, 1 to 32767 on Linux, or SYSTEM_DEFAULT, or UNCHANGED
     * @param int $interval seconds, 1 to 32767 on Linux, or SYSTEM_DEFAULT, or UNCHANGED
     * @param int $count probes, 1 to 127 on Linux, or SYSTEM_DEFAULT, or UNCHANGED
     * @param int|null $userTimeoutMs TCP_USER_TIMEOUT in milliseconds, 0 to 2147483647; 0 is the kernel's own limit,
     *     null leaves it unchanged
     *
     * @throws InvalidArgumentException a value is not an int, or out of range; nothing was changed
     * @throws TypeError $socket is not a socket, or is closed; nothing was changed
     * @throws SocketException it is not TCP, or the system refused; the code is the errno
     * @throws UnavailableException this PHP cannot reach such a socket; the message says what to turn on
     */
    public static function enable($socket, $idle = 60, $interval = 10, $count = 6, $userTimeoutMs = null): void
    {
        Values::check($idle, $interval, $count, $userTimeoutMs);
        $backend = self::use($socket);
        if ($userTimeoutMs === null && $backend instanceof FfiBackend) {
            $backend->set($socket, $idle, $interval, $count);
        } else {
            $backend->apply($socket, new Settings(true, $idle, $interval, $count, $userTimeoutMs));
        }
    }

    /**
     * Sets all five values of the settings on the socket, together: those of Settings::detectWithin() or
     * Settings::of(), or the result of settings() for this socket or another. So it can also restore earlier settings,
     * even keepalive off. A user timeout of null leaves the socket's own.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     * @throws TypeError|SocketException|UnavailableException as enable()
     */
    public static function apply($socket, Settings $settings): void
    {
        self::use($socket)->apply($socket, $settings);
    }

    /**
     * Turns keepalive off; the socket keeps the other values.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     * @throws TypeError|SocketException|UnavailableException as enable()
     */
    public static function disable($socket): void
    {
        self::apply($socket, new Settings(false, self::UNCHANGED, self::UNCHANGED, self::UNCHANGED, null));
    }

    /**
     * The settings in effect on the socket, read back from the kernel.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     * @throws TypeError|SocketException|UnavailableException as enable()
     */
    public static function settings($socket): Settings
    {
        return self::use($socket)->settings($socket);
    }

    /**
     * The settings of a fresh TCP socket, read from the kernel at each call; on Linux usually off, 7200, 75, 9.
     *
     * @throws SocketException|UnavailableException
     */
    public static function defaults(): Settings
    {
        return self::use()->defaults();
    }

    /**
     * What the kernel knows of the connection's health. Needs FFI, and Linux.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     * @throws TypeError|SocketException|UnavailableException as enable()
     */
    public static function status($socket): Status
    {
        return self::use()->status($socket);
    }

    /**
     * The TCP sockets that this process has open, also those that PDO, mysqli, phpredis, curl hide. Needs FFI.
     *
     * @return OpenSocket[]
     * @throws UnavailableException
     */
    public static function sockets(): array
    {
        return self::use()->sockets();
    }

    /**
     * Turns keepalive on for every connection that this process has to this address now, established or connecting,
     * also those of PDO, mysqli, phpredis, curl and so on. Needs FFI.
     *
     * A connection that is opened later (a reconnect, a lazy client's first query) needs another call. Call it as often
     * as you like: a connection that has these values already is left alone. One that is closed meanwhile is no error.
     *
     * A host name is looked up now, as clients do (all its IPv4 and IPv6 addresses, hosts files included), which can wait
     * for a name server; connections made before the name changed are not found. Nothing else is looked up: "*:5432" is
     * every connection to that port, "10.0.0.0/8" every connection to that network, "*" every one.
     *
     * @param string $address "db.example:5432", "192.0.2.1:5432", "[2001:db8::1]:5432", a network instead of an address
     *     ("10.0.0.0/8:6379", "[2001:db8::/32]:443"), or "*:5432"; without a port, or with "*", every port; tcp:// or
     *     tls:// before it is allowed
     * @param Settings|null $settings null: 60, 10, 6 as enable(), which leaves each user timeout as it is
     * @return int how many connections have it now; 0 also if the client uses a unix socket, as MySQL's and
     *     PostgreSQL's do for "localhost" or no host
     *
     * @throws InvalidArgumentException $address has another form
     * @throws SocketException the name has no address (code 0), or the system refused one of them (the errno); the
     *     others are set
     * @throws UnavailableException no FFI, or no ext-sockets to look up a name
     */
    public static function enableConnectionsTo(string $address, ?Settings $settings = null): int
    {
        return Connections::enable(self::use(), $address, $settings ?? Settings::of(60, 10, 6));
    }

    /**
     * enableConnectionsTo() for programs that should go on without keepalive instead of failing: no problem with
     * keepalive is thrown, not even a wrong address. It is reported, once for each address while it stays the same
     * (a web server forgets that after each request), and 0 is returned.
     *
     * @param callable|null $report gets the message, then ['exception' => the exception], as a PSR-3 logger's
     *     [$logger, 'warning'] does; null: PHP's error_log()
     */
    public static function tryToEnableConnectionsTo(string $address, ?Settings $settings = null, ?callable $report = null): int
    {
        try {
            $count = self::enableConnectionsTo($address, $settings);
            Connections::report($address, null, $report);
            return $count;
        } catch (KeepaliveException $problem) {
            Connections::report($address, $problem, $report);
            return 0;
        }
    }

    /**
     * Connects, with keepalive on from before the TLS handshake.
     *
     * @param string $address "tcp://host:port" or "tls://host:port", the port 1 to 65535, an IPv6 address in brackets
     * @param Settings|null $settings null: 60, 10, 6 as enable()
     * @param float|null $timeout seconds for the connection and again for the handshake, 0.001 or more (from 2147482,
     *     which are 24 days, it is those); null: ini default_socket_timeout, and where that is negative, no limit
     * @param resource|null $context of stream_context_create(); its options mean the same as for
     *     stream_socket_client(), except that nothing is connected if PHP cannot bind to its bindto
     * @return resource the stream, blocking
     *
     * @throws InvalidArgumentException the address has another form, or the timeout is too short; nothing was opened
     * @throws SocketException the connection or the handshake failed; the code is the errno where there is one
     * @throws UnavailableException as enable()
     */
    public static function connect(string $address, ?Settings $settings = null, ?float $timeout = null, $context = null)
    {
        return Connector::connect(self::use(), $address, $settings ?? Settings::of(60, 10, 6), $timeout, $context);
    }

    /**
     * 'ffi', or 'sockets' if FFI or the shared library cannot be used. If the reason is that this process has no free
     * descriptor, each call tries again.
     *
     * @throws UnavailableException neither can be used; the message says what to install
     */
    public static function backend(): string
    {
        return self::use() instanceof FfiBackend ? 'ffi' : 'sockets';
    }

    /** Chosen once, except when the library cannot be loaded because descriptors are missing. @param mixed $socket */
    private static function use($socket = null): Backend
    {
        if ((\is_object($socket) || \PHP_VERSION_ID < 80000) && SocketKind::isSocket($socket)) {
            return self::$forSockets ??= new SocketsBackend(); // PHP does not show its descriptor
        }
        try { // without ??=, which never ends in PHP's JIT when a signal handler throws
            return self::$backend === null ? self::$backend = new FfiBackend() : self::$backend;
        } catch (UnavailableException $why) {
            if (!extension_loaded('sockets')) {
                $message = "Neither FFI nor the sockets extension can be used. {$why->getMessage()}\n"
                    . 'Or install the sockets extension, which reaches plain TCP streams.';
                throw new UnavailableException($message, 0, $why);
            }
            $instead = new SocketsBackend($why);
            return $why->getCode() === Library::TRY_AGAIN ? $instead : self::$backend = $instead;
        }
    }
}
