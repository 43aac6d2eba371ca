<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\KeepaliveException;
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
    private const SCHEMES = ['tcp', 'tls', 'ssl'];

    /** In every STREAM_CRYPTO_METHOD_..._CLIENT, and in no ..._SERVER. */
    private const CLIENT = 1;

    /** Seconds: the default of ini default_socket_timeout. */
    private const DEFAULT_TIMEOUT = 60;

    /** Limits of PHP's timeouts, in seconds: poll() takes int milliseconds. With 0 a handshake may take any time. */
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
            throw new UnavailableException("$scheme:// needs the openssl extension.");
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
        // PHP 8.6 can throw, or say nothing, in place of a warning. Here it warns, and the warning's text is thrown.
        $mode = PHP_VERSION_ID < 80600 ? null : stream_context_get_options($context)['stream']['error_mode'] ?? null;
        try {
            if ($mode !== null) {
                stream_context_set_option($context, 'stream', 'error_mode', \StreamErrorMode::Error);
            }
            $warnings = [];
            $stream = Php::quietly(static function () use ($address, $target, $timeout, $context, &$warnings) {
                return self::open($address, $target, $timeout, $context, $warnings);
            }, $warnings);
            $backend->apply($stream, $settings);
            if ($scheme !== 'tcp') {
                $warnings = [];
                Php::quietly(static function () use ($stream, $address, $timeout, $context, &$warnings): void {
                    self::encrypt($stream, $address, $timeout, $context, $warnings);
                }, $warnings);
            }
            return $stream;
        } catch (KeepaliveException $failed) {
            if (isset($stream)) {
                fclose($stream); // which the exception's trace would keep open
            }
            throw $failed;
        } finally {
            if ($mode !== null) {
                stream_context_set_option($context, 'stream', 'error_mode', $mode);
            }
        }
    }

    /**
     * @param resource $context
     * @param string[] $warnings
     * @return resource
     */
    private static function open(string $address, string $target, float $timeout, $context, array &$warnings)
    {
        $flags = STREAM_CLIENT_CONNECT;
        $stream = stream_socket_client("tcp://$target", $errno, $message, $timeout, $flags, $context);
        if ($stream === false) {
            $full = (int) $errno === 0 ? Errno::ofFullTable() : 0;
            throw new SocketException(
                "Connecting to $address failed: "
                . ($full !== 0 ? Errno::cause($full) : ($message !== '' ? $message : implode('; ', $warnings))),
                (int) $errno ?: $full
            );
        }
        // If PHP cannot bind, it goes on from any address.
        $bindto = stream_context_get_options($context)['socket']['bindto'] ?? '';
        $local = (string) stream_socket_get_name($stream, false);
        if ($bindto !== '' && !self::isBoundTo($bindto, $local)) {
            fclose($stream);
            throw new SocketException(
                "Connecting to $address failed: PHP could not bind to \"$bindto\", which the context has as bindto, and took "
                . "$local. Give an address of this host and of the server's family, and a port: \"192.0.2.1:0\", "
                . '"[2001:db8::1]:0". ' . implode('; ', $warnings)
            );
        }
        return $stream;
    }

    private static function isBoundTo(string $bindto, string $local): bool
    {
        $form = '/^\[?(.+?)\]?:(\d+)$/D';
        if (preg_match($form, $bindto, $asked) !== 1 || preg_match($form, $local, $got) !== 1) {
            return false;
        }
        $anyHost = in_array($asked[1], ['0', '0.0.0.0', '::'], true);
        return ($anyHost || inet_pton($asked[1]) === inet_pton($got[1]))
            && ((int) $asked[2] === 0 || (int) $asked[2] === (int) $got[2]);
    }

    /**
     * @param resource $stream
     * @param resource $context
     * @param string[] $warnings
     */
    private static function encrypt($stream, string $address, float $timeout, $context, array &$warnings): void
    {
        // As stream_socket_client() reads it: any value, as an int, and for a client.
        $method = stream_context_get_options($context)['ssl']['crypto_method'] ?? STREAM_CRYPTO_METHOD_TLS_CLIENT;
        $start = hrtime(true);
        if (stream_socket_enable_crypto($stream, true, (int) $method | self::CLIENT)) {
            return;
        }
        if (hrtime(true) - $start >= $timeout * 1e9) {
            [$errno, $why] = [Errno::number('ETIMEDOUT'), "ETIMEDOUT: no answer within $timeout s."];
        } else {
            $errno = Errno::ofFullTable(); // then no file of certificates can be opened
            $why = implode('; ', $warnings) ?: self::lastOpensslError()
                ?: 'PHP gives no reason. Perhaps the server closed the connection; it may not speak TLS on this port.';
            $why .= $errno !== 0 ? '; ' . Errno::cause($errno) : '';
        }
        throw new SocketException("The TLS handshake with $address failed: $why", $errno);
    }

    /** PHP does not warn of everything: not of the context's ciphers, for instance. */
    private static function lastOpensslError(): string
    {
        $last = '';
        while (($next = openssl_error_string()) !== false) {
            $last = $next;
        }
        return $last;
    }

    /** @return array{string, string, string} scheme, what follows it, and the host in that */
    private static function split(string $address): array
    {
        $parts = explode('://', $address, 2);
        [$scheme, $target] = count($parts) === 2 ? [strtolower($parts[0]), $parts[1]] : ['tcp', $address];
        $hostAndPort = Address::split($target);
        if (!in_array($scheme, self::SCHEMES, true) || $hostAndPort === null) {
            throw new InvalidArgumentException(sprintf(
                'address must be "tcp://host:port" or "tcp://[IPv6 address]:port", or the same with tls:// or ssl://, '
                . 'with a port from 1 to 65535; %s was given.%s',
                Php::describe($address),
                strncmp($scheme, 'tlsv', 4) === 0 ? ' For one version of TLS, set crypto_method in the context.' : ''
            ));
        }
        return [$scheme, $target, $hostAndPort[0]];
    }

    private static function seconds(?float $timeout): float
    {
        $ini = (float) (function_exists('ini_get') ? ini_get('default_socket_timeout') : self::DEFAULT_TIMEOUT);
        $seconds = $timeout ?? ($ini < 0 ? self::LONGEST : $ini); // negative: no limit, in workers that wait for jobs
        if (!($seconds >= self::SHORTEST && $seconds <= self::LONGEST)) { // NAN is neither
            throw new InvalidArgumentException(sprintf(
                'timeout must be 0.001 to 2147482 seconds, or null; %s was given%s.',
                Php::describe($timeout),
                $timeout === null ? ", and ini default_socket_timeout is $ini" : ''
            ));
        }
        return $seconds;
    }

    /**
     * PHP sends and verifies the host that the stream was opened with. It leaves the brackets on an IPv6 address,
     * which no certificate has. A copy, because other connections may share the context.
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
}
