<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;
use Keepalive\Settings;

/**
 * Keepalive::connect(): TCP first, then keepalive, then TLS.
 *
 * @internal
 */
final class Connector
{
    /** Which method each transport of stream_socket_client() stands for, unless the context says. */
    private const CRYPTO_METHODS = [
        'tls' => STREAM_CRYPTO_METHOD_TLS_CLIENT,
        'ssl' => STREAM_CRYPTO_METHOD_TLS_CLIENT,
        'tlsv1.0' => STREAM_CRYPTO_METHOD_TLSv1_0_CLIENT,
        'tlsv1.1' => STREAM_CRYPTO_METHOD_TLSv1_1_CLIENT,
        'tlsv1.2' => STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT,
        'tlsv1.3' => STREAM_CRYPTO_METHOD_TLSv1_3_CLIENT,
    ];

    /**
     * @param resource|null $context
     * @return resource
     */
    public static function connect(string $address, Settings $settings, ?float $timeout, $context)
    {
        [$scheme, $target] = self::split($address);
        $context = $context ?? stream_context_create();
        $timeout = $timeout ?? (float) ini_get('default_socket_timeout');

        $warnings = [];
        set_error_handler(static function (int $level, string $message) use (&$warnings): bool {
            $warnings[] = $message;
            return true;
        });
        try {
            $stream = stream_socket_client(
                "tcp://$target",
                $errno,
                $message,
                $timeout,
                STREAM_CLIENT_CONNECT,
                $context
            );
            if ($stream === false) {
                throw new SocketException(
                    "Connecting to $address failed: " . ($message !== '' ? $message : implode('; ', $warnings)),
                    (int) $errno
                );
            }
            Keepalive::apply($stream, $settings);
            if ($scheme !== 'tcp' && !self::encrypt($stream, $scheme, $target, $context)) {
                fclose($stream);
                throw new SocketException(
                    "The TLS handshake with $address failed: "
                    . (implode('; ', $warnings) ?: "no answer within $timeout s, or the peer closed the connection")
                );
            }
            return $stream;
        } finally {
            restore_error_handler();
        }
    }

    /** @return array{string, string} */
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
        return [$scheme, $target];
    }

    /**
     * @param resource $stream
     * @param resource $context
     */
    private static function encrypt($stream, string $scheme, string $target, $context): bool
    {
        $ssl = stream_context_get_options($context)['ssl'] ?? [];
        if (!isset($ssl['peer_name'])) {
            $host = (string) preg_replace('/:\d+$/', '', $target);
            stream_context_set_option($stream, 'ssl', 'peer_name', rtrim(trim($host, '[]'), '.'));
        }
        $method = $ssl['crypto_method'] ?? self::CRYPTO_METHODS[$scheme];
        return stream_socket_enable_crypto($stream, true, $method) === true;
    }
}
