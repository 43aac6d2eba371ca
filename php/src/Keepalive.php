<?php

declare(strict_types=1);

namespace Keepalive;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\KeepaliveException;
use Keepalive\Exception\SocketException;
use Keepalive\Exception\TypeError;
use Keepalive\Exception\UnavailableException;
use Keepalive\Internal\Address;
use Keepalive\Internal\Backend;
use Keepalive\Internal\Connector;
use Keepalive\Internal\FfiBackend;
use Keepalive\Internal\Php;
use Keepalive\Internal\SocketKind;
use Keepalive\Internal\SocketsBackend;
use Keepalive\Internal\Values;

use function extension_loaded;
use function is_object;

use const PHP_VERSION_ID;

/**
 * TCP keepalive on PHP's sockets.
 *
 * A socket, here, is a stream resource (TCP client, server or accepted; TLS before or after the
 * handshake; connecting, non-blocking, persistent, filtered), a Socket of ext-sockets, an int
 * descriptor, or an OpenSocket.
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

    /** States of a connection that keepalive can serve, now or once it is established. */
    private const CONNECTED = ['ESTABLISHED', 'SYN_SENT', 'SYN_RECV'];

    private static ?Backend $backend = null;

    private static ?SocketsBackend $forSockets = null;

    /** @var array<string, string> the last report of tryToEnableConnectionsTo() for each address, until it succeeds */
    private static array $reported = [];

    private function __construct()
    {
    }

    /**
     * Turns keepalive on: after $idle seconds of silence the peer is probed every $interval seconds. After $count
     * unanswered probes the kernel gives the connection up, and reads fail with ETIMEDOUT. The default values notice a
     * dead peer in two minutes.
     *
     * While sent data is unacknowledged there are no probes; $userTimeoutMs limits that time. Without it the socket
     * keeps its own user timeout, which would replace $count: to change from Settings::detectWithin() to other values,
     * give 0. Calling again is harmless, except while probes are unanswered: each call then sends one more, which
     * counts. Settings::detectWithin() chooses all four for you.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     * @param int $idle seconds, 1 to 32767 on Linux, or SYSTEM_DEFAULT, or UNCHANGED
     * @param int $interval seconds, 1 to 32767 on Linux, or SYSTEM_DEFAULT, or UNCHANGED
     * @param int $count probes, 1 to 127 on Linux, or SYSTEM_DEFAULT, or UNCHANGED
     * @param int|null $userTimeoutMs TCP_USER_TIMEOUT in milliseconds, 0 to 2147483647; 0 is the
     *     kernel's own limit, null leaves it unchanged
     *
     * @throws InvalidArgumentException a value is not an int, or out of range; nothing was changed
     * @throws TypeError $socket is not a socket, or is closed; nothing was changed
     * @throws SocketException it is not TCP, or the system refused; the code is the errno
     * @throws UnavailableException this PHP cannot reach such a socket; the message says what to turn on
     */
    public static function enable($socket, $idle = 60, $interval = 10, $count = 6, $userTimeoutMs = null): void
    {
        Values::check($idle, $interval, $count, $userTimeoutMs);
        // The usual case without another call: since PHP 8 a Socket is always an object.
        $backend = self::$backend === null || is_object($socket) || PHP_VERSION_ID < 80000
            ? self::backendFor($socket)
            : self::$backend;
        if ($userTimeoutMs === null) {
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
     *
     * @throws TypeError $socket is not a socket, or is closed; nothing was changed
     * @throws SocketException it is not TCP, or the system refused; the code is the errno
     * @throws UnavailableException this PHP cannot reach such a socket; the message says what to turn on
     */
    public static function apply($socket, Settings $settings): void
    {
        (self::$backend === null || is_object($socket) || PHP_VERSION_ID < 80000
            ? self::backendFor($socket)
            : self::$backend)->apply($socket, $settings);
    }

    /**
     * Turns keepalive off; the socket keeps the other values.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     *
     * @throws TypeError|SocketException|UnavailableException as enable()
     */
    public static function disable($socket): void
    {
        self::backendFor($socket)->disable($socket);
    }

    /**
     * The settings in effect on the socket, read back from the kernel.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     *
     * @throws TypeError|SocketException|UnavailableException as enable()
     */
    public static function settings($socket): Settings
    {
        return self::backendFor($socket)->settings($socket);
    }

    /**
     * The settings of a fresh TCP socket of this system, read from the kernel at each call; on Linux usually off, 7200,
     * 75, 9.
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
     *
     * @throws TypeError|SocketException|UnavailableException as enable()
     */
    public static function status($socket): Status
    {
        return self::use()->status($socket);
    }

    /**
     * The TCP sockets that this process has open, also those that extensions such as PDO, mysqli, phpredis or curl
     * hide. Needs FFI.
     *
     * @return OpenSocket[]
     *
     * @throws UnavailableException
     */
    public static function sockets(): array
    {
        return self::use()->sockets();
    }

    /**
     * Turns keepalive on for every connection that this process has to this address, also those of PDO, mysqli,
     * phpredis, curl and so on. Needs FFI.
     *
     * It sets the connections that exist now, established or connecting; one that is opened later (a reconnect, a lazy
     * client's first query) needs another call. Call it as often as you like: a connection that has these values
     * already is left alone. A connection that is closed in the meantime is not an error.
     *
     * A host name is looked up now, as clients look it up (all its IPv4 and IPv6 addresses, hosts
     * files included), which can wait for a name server; connections made before the name changed are not found.
     * Everything else needs no look-up: "*:5432" is every connection to that port, "10.0.0.0/8" every connection to
     * that network, "*" every connection.
     *
     * @param string $address "db.example:5432", "192.0.2.1:5432", "[2001:db8::1]:5432", a network instead of an address
     * ("10.0.0.0/8:6379", "[2001:db8::/32]:443"), or "*:5432"; without a port, or with "*", every port;
     *     tcp:// or tls:// before it is allowed
     * @param Settings|null $settings null: 60, 10, 6 as enable(), which leaves each user timeout as it is
     * @return int how many connections have it now; 0 also if the client uses a unix socket, as MySQL's and
     * PostgreSQL's do for "localhost" or no host
     *
     * @throws InvalidArgumentException $address has another form, or apply() would refuse the settings
     * @throws SocketException the name has no address (code 0), or the system refused one of them (the errno);
     *     the others are set
     * @throws UnavailableException no FFI, or no ext-sockets to look up a name
     */
    public static function enableConnectionsTo(string $address, ?Settings $settings = null): int
    {
        $settings = self::on($settings);
        $wanted = Address::of($address)->lookedUp();
        $count = 0;
        $refusal = null;
        foreach (self::sockets() as $socket) {
            if (!in_array($socket->state(), self::CONNECTED, true) || !$wanted->matches($socket->remote())) {
                continue;
            }
            try {
                if ($settings->wouldChange(self::settings($socket), [self::class, 'defaults'])) {
                    self::apply($socket, $settings);
                }
                $count++;
            } catch (SocketException $exception) {
                // PHP compares objects of a class by their values: the same descriptor, state and addresses.
                $refusal = $refusal ?? (in_array($socket, self::sockets()) ? $exception : null);
            }
        }
        if ($refusal !== null) {
            throw $refusal;
        }
        return $count;
    }

    /**
     * enableConnectionsTo() for programs that should go on without keepalive instead of failing: no problem with
     * keepalive is thrown, not even a wrong address. Instead it is reported, once for each address while the problem
     * stays the same, and 0 is returned.
     *
     * @param callable|null $report gets the message, then ['exception' => the exception], as a PSR-3 logger's
     *     [$logger, 'warning'] does; null: PHP's error_log()
     */
    public static function tryToEnableConnectionsTo(
        string $address,
        ?Settings $settings = null,
        ?callable $report = null
    ): int {
        try {
            $count = self::enableConnectionsTo($address, $settings);
            unset(self::$reported[$address]);
            return $count;
        } catch (KeepaliveException $exception) {
            $message = "Keepalive was not enabled on the connections to $address: {$exception->getMessage()}";
            if ((self::$reported[$address] ?? null) !== $message) {
                self::$reported[$address] = $message;
                if ($report !== null) {
                    $report($message, ['exception' => $exception]);
                } elseif (function_exists('error_log')) { // some hosting providers disable it
                    error_log($message);
                }
            }
            return 0;
        }
    }

    /**
     * Connects, with keepalive on from before the TLS handshake.
     *
     * @param string $address "tcp://host:port" or "tls://host:port"; an IPv6 address is in brackets, the port is 1 to
     * 65535, and no path follows
     * @param Settings|null $settings null: 60, 10, 6 as enable()
     * @param float|null $timeout seconds for the connection and again for the handshake, 0.001 to 2147482;
     *     null: ini default_socket_timeout, and where that is negative (no limit), 2147482
     * @param resource|null $context of stream_context_create(); its options mean the same as for
     * stream_socket_client(), except that nothing is connected if PHP cannot bind to its bindto
     * @return resource the stream, blocking
     *
     * @throws InvalidArgumentException the address is neither TCP nor TLS or of another form, apply() would refuse the
     * settings, the timeout is out of range, or the context is not one; nothing was opened
     * @throws SocketException the connection or the handshake failed; the code is the errno where there is one
     * @throws UnavailableException as enable()
     */
    public static function connect(string $address, ?Settings $settings = null, ?float $timeout = null, $context = null)
    {
        $settings = self::on($settings);
        return Connector::connect(self::use(), $address, $settings, $timeout, $context);
    }

    /**
     * 'ffi', or 'sockets' if FFI or the shared library cannot be used. If the reason is that this process has no free
     * descriptor or memory, each call tries again.
     *
     * @throws UnavailableException neither can be used; the message says what to install
     */
    public static function backend(): string
    {
        return self::use()->name();
    }

    /** For connections on which keepalive is to be on. */
    private static function on(?Settings $settings): Settings
    {
        $settings = $settings ?? Settings::of(60, 10, 6);
        if (!$settings->enabled()) {
            throw new InvalidArgumentException('These settings have keepalive off; to do that, call Keepalive::disable().');
        }
        return $settings;
    }

    /**
     * Socket objects always go through ext-sockets: PHP does not show their descriptor.
     *
     * @param mixed $socket
     */
    private static function backendFor($socket): Backend
    {
        if (SocketKind::isSocket($socket)) {
            if (self::$forSockets === null) {
                self::$forSockets = new SocketsBackend('');
            }
            return self::$forSockets;
        }
        return self::$backend ?? self::use();
    }

    /**
     * The backend for everything else. It is chosen once, except when the library cannot be loaded because descriptors
     * or memory are missing.
     */
    private static function use(): Backend
    {
        if (self::$backend === null) {
            try {
                self::$backend = new FfiBackend();
            } catch (UnavailableException $exception) {
                if (!extension_loaded('sockets')) {
                    throw new UnavailableException(
                        "Neither FFI nor the sockets extension can be used. {$exception->getMessage()}\n"
                        . 'Or install the sockets extension (' . Php::packageOf('sockets')
                        . '), which reaches plain TCP streams.',
                        0,
                        $exception
                    );
                }
                $instead = new SocketsBackend($exception->getMessage());
                if ($exception->getCode() !== 0) {
                    return $instead; // this may be over soon: the next call tries again
                }
                self::$backend = $instead;
            }
        }
        return self::$backend;
    }
}
