<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\SocketException;
use Keepalive\Exception\UnavailableException;
use Keepalive\Settings;

/**
 * Keepalive::connect(): TCP first, then keepalive, then TLS.
 *
 * @internal
 */
final class Connector
{
    /** Which method each transport of stream_socket_client() stands for. */
    private const CRYPTO_METHODS = [
        'tls' => STREAM_CRYPTO_METHOD_TLS_CLIENT,
        'ssl' => STREAM_CRYPTO_METHOD_TLS_CLIENT,
        'tlsv1.0' => STREAM_CRYPTO_METHOD_TLSv1_0_CLIENT,
        'tlsv1.1' => STREAM_CRYPTO_METHOD_TLSv1_1_CLIENT,
        'tlsv1.2' => STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT,
        'tlsv1.3' => STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT,
    ];

    /** Seconds, as ini default_socket_timeout has them where nobody sets it. */
    private const DEFAULT_TIMEOUT = 60;

    /**
     * Seconds that PHP can wait: poll() takes milliseconds, in an int. With more PHP waits for ever, or, 7.4, for what
     * is left of the number; with 0 a handshake may take for ever.
     */
    private const SHORTEST = 0.001;
    private const LONGEST = 2147482.0;

    /**
     * @param resource|null $context
     * @return resource
     */
    public static function connect(Backend $backend, string $address, Settings $settings, ?float $timeout, $context)
    {
        [$scheme, $target, $host] = self::split($address);
        Php::need('stream_socket_client', 'stream_socket_enable_crypto', 'stream_get_transports');
        if ($scheme !== 'tcp' && !in_array($scheme, stream_get_transports(), true)) {
            throw new UnavailableException("$scheme:// needs the openssl extension, built with that protocol.");
        }
        if ($context !== null && !(is_resource($context) && get_resource_type($context) === 'stream-context')) {
            throw new InvalidArgumentException(sprintf(
                'context must be what stream_context_create() returns, or null; %s was given.',
                Php::describe($context)
            ));
        }
        $timeout = self::seconds($timeout);
        $context = $context ?? stream_context_get_default();
        if ($scheme !== 'tcp') {
            $context = self::withPeerName($host, $context);
        }

        Errno::prepare();
        $warnings = [];
        return Php::quietly(static function () use ($backend, $address, $scheme, $target, $settings, $timeout, $context, &$warnings) {
            $stream = stream_socket_client(
                "tcp://$target",
                $errno,
                $message,
                $timeout,
                STREAM_CLIENT_CONNECT,
                $context
            );
            if ($stream === false) {
                $full = (int) $errno === 0 ? Errno::ofFullTable() : 0;
                throw new SocketException(
                    "Connecting to $address failed: "
                    . ($full !== 0 ? Errno::cause($full) : ($message !== '' ? $message : implode('; ', $warnings))),
                    (int) $errno ?: $full
                );
            }
            $backend->apply($stream, $settings);
            if ($scheme !== 'tcp' && !stream_socket_enable_crypto($stream, true, self::method($scheme, $context))) {
                $full = Errno::ofFullTable(); // no file of certificates can be opened, then
                throw new SocketException(
                    "The TLS handshake with $address failed: "
                    . (implode('; ', $warnings) ?: "no answer within $timeout s, or the peer closed the connection")
                    . ($full !== 0 ? '; ' . Errno::cause($full) : ''),
                    $full
                );
            }
            return $stream;
        }, $warnings);
    }

    /** @return array{string, string, string} scheme, what follows it, and the host in that */
    private static function split(string $address): array
    {
        $parts = explode('://', $address, 2);
        [$scheme, $target] = count($parts) === 2 ? [strtolower($parts[0]), $parts[1]] : ['tcp', $address];
        if ($scheme !== 'tcp' && !isset(self::CRYPTO_METHODS[$scheme])) {
            throw new InvalidArgumentException(sprintf(
                'address must begin with tcp:// or one of %s://; "%s" was given.',
                implode('://, ', array_keys(self::CRYPTO_METHODS)),
                $address
            ));
        }
        $hostAndPort = Address::split($target);
        if ($hostAndPort === null) {
            throw new InvalidArgumentException(sprintf(
                'address must be "tcp://host:port" or "tcp://[IPv6 address]:port", or with tls:// and the like, '
                . 'with a port from 1 to 65535; %s was given.',
                Php::describe($address)
            ));
        }
        return [$scheme, $target, $hostAndPort[0]];
    }

    private static function seconds(?float $timeout): float
    {
        $given = Php::describe($timeout);
        if ($timeout === null) {
            $timeout = (float) (function_exists('ini_get') ? ini_get('default_socket_timeout') : self::DEFAULT_TIMEOUT);
            $given .= " was given, and ini default_socket_timeout is $timeout";
            $timeout = $timeout < 0 ? self::LONGEST : min($timeout, self::LONGEST); // negative: no limit
        } else {
            $given .= ' was given';
        }
        if (!($timeout >= self::SHORTEST && $timeout <= self::LONGEST)) { // NAN is neither
            throw new InvalidArgumentException("timeout must be 0.001 to 2147482 seconds, or null; $given.");
        }
        return $timeout;
    }

    /**
     * PHP sends and verifies the host that the stream was opened with, but for an IPv6 address, whose
     * brackets it leaves on. A copy, because other connections may share the context.
     *
     * @param resource $context
     * @return resource
     */
    private static function withPeerName(string $host, $context)
    {
        $own = stream_context_get_options($context)['ssl']['peer_name'] ?? null;
        if ($own !== null || !Address::isIpv6($host)) {
            return $context;
        }
        $copy = stream_context_create([], stream_context_get_params($context));
        stream_context_set_option($copy, 'ssl', 'peer_name', Address::withoutScope($host));
        return $copy;
    }

    /**
     * As stream_socket_client() chooses it.
     *
     * @param resource $context
     */
    private static function method(string $scheme, $context): int
    {
        $chosen = stream_context_get_options($context)['ssl']['crypto_method'] ?? null;
        return $chosen !== null && ($scheme === 'tls' || $scheme === 'ssl') ? $chosen : self::CRYPTO_METHODS[$scheme];
    }
}
