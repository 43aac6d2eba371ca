<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\{InvalidArgumentException, KeepaliveException, SocketException, UnavailableException};
use Keepalive\Settings;

/** Keepalive::connect(): TCP first, then keepalive, then TLS. */
final class Connector
{
    /** Nothing may follow: PHP reads only the digits of a port and cuts the number down to 16 bits, another port. */
    private const FORM = '/^(?:(tcp|tls|ssl):\/\/)?'
        . '((\[[0-9a-f.]*:' . Address::IN_BRACKETS . '\]|' . Address::NAME . '):(\d{1,5}))$/Di';

    /** In every STREAM_CRYPTO_METHOD_..._CLIENT, and in no ..._SERVER. */
    private const CLIENT = 1;

    /** Seconds: poll() takes int milliseconds. */
    private const LONGEST = 2147482.0;

    /**
     * @param resource|null $context
     * @return resource
     */
    public static function connect(Backend $backend, string $address, Settings $settings, ?float $timeout, $context)
    {
        $isOfThisForm = preg_match(self::FORM, $address, $parts) === 1;
        [, $scheme, $target, $host, $port] = $parts + ['', '', '', '', ''];
        if (!$isOfThisForm || (int) $port < 1 || (int) $port > 65535) {
            $forms = '"tcp://host:port" or "tcp://[IPv6 address]:port", or the same with tls:// or ssl://, with a port '
                . 'from 1 to 65535';
            throw InvalidArgumentException::expected("address must be $forms", $address);
        }
        $isTls = $scheme !== '' && strtolower($scheme) !== 'tcp';
        if ($isTls && !extension_loaded('openssl')) {
            throw new UnavailableException("$scheme:// needs the openssl extension.");
        }
        $timeout = self::seconds($timeout);
        $context = $context ?? stream_context_get_default();
        if ($isTls && $host[0] === '[') {
            // PHP verifies the host with the brackets, which no certificate has. A copy: others may share the context.
            $name = stream_context_get_options($context)['ssl']['peer_name'] ?? explode('%', trim($host, '[]'))[0];
            $context = stream_context_create([], stream_context_get_params($context));
            stream_context_set_option($context, 'ssl', 'peer_name', $name);
        }
        // PHP 8.6 can throw, or say nothing, in place of a warning. Here it warns, and the warning's text is thrown.
        $mode = PHP_VERSION_ID < 80600 ? null : stream_context_get_options($context)['stream']['error_mode'] ?? null;
        try {
            if ($mode !== null) {
                stream_context_set_option($context, 'stream', 'error_mode', \StreamErrorMode::Error);
            }
            $stream = self::open($address, $target, $timeout, $context);
            $backend->apply($stream, $settings);
            if ($isTls) {
                self::encrypt($stream, $address, $timeout);
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
     * @return resource
     */
    private static function open(string $address, string $target, float $timeout, $context)
    {
        $warnings = [];
        $stream = Php::quietly(static function () use ($target, $timeout, $context, &$errno, &$message) {
            return stream_socket_client("tcp://$target", $errno, $message, $timeout, STREAM_CLIENT_CONNECT, $context);
        }, $warnings);
        if ($stream === false) {
            $why = $message ?: implode('; ', $warnings) . ': perhaps this process has no free descriptor.';
            throw new SocketException("Connecting to $address failed: $why", (int) $errno);
        }
        // If PHP cannot bind, it goes on from any address.
        $bindto = stream_context_get_options($context)['socket']['bindto'] ?? '';
        $local = (string) stream_socket_get_name($stream, false);
        if ($bindto !== '' && !self::isBoundTo($bindto, $local)) {
            fclose($stream);
            throw new SocketException("Connecting to $address failed: PHP could not bind to \"$bindto\", which the "
                . "context has as bindto, and took $local. Give an address of this host and of the server's family, and a "
                . 'port: "192.0.2.1:0", "[2001:db8::1]:0". ' . implode('; ', $warnings));
        }
        return $stream;
    }

    private static function isBoundTo(string $bindto, string $local): bool
    {
        $form = '/^\[?(.+?)\]?:(\d+)$/D';
        if (preg_match($form, $bindto, $asked) !== 1 || preg_match($form, $local, $got) !== 1) {
            return false;
        }
        [, $host, $port] = $asked;
        $isIp = filter_var($host, FILTER_VALIDATE_IP) !== false; // inet_pton() would warn
        return (in_array($host, ['0', '0.0.0.0', '::'], true) || ($isIp && inet_pton($host) === inet_pton($got[1])))
            && ((int) $port === 0 || (int) $port === (int) $got[2]);
    }

    /** @param resource $stream */
    private static function encrypt($stream, string $address, float $timeout): void
    {
        // As stream_socket_client() reads it: any value, as an int, and for a client.
        $method = stream_context_get_options($stream)['ssl']['crypto_method'] ?? STREAM_CRYPTO_METHOD_TLS_CLIENT;
        $warnings = [];
        $start = hrtime(true);
        $encrypt = static fn () => stream_socket_enable_crypto($stream, true, (int) $method | self::CLIENT);
        if (Php::quietly($encrypt, $warnings) === true) {
            return;
        }
        if (hrtime(true) - $start >= $timeout * 1e9) {
            $why = "ETIMEDOUT: no answer within $timeout s.";
            throw new SocketException("The TLS handshake with $address failed: $why", Errno::number('ETIMEDOUT'));
        }
        // PHP does not warn of everything: not of the context's ciphers, for instance.
        $last = 'PHP gives no reason. Perhaps the server closed the connection; it may not speak TLS on this port.';
        while (($error = openssl_error_string()) !== false) {
            $last = $error;
        }
        $why = implode('; ', $warnings) ?: $last;
        throw new SocketException("The TLS handshake with $address failed: $why");
    }

    private static function seconds(?float $timeout): float
    {
        $ini = (float) ini_get('default_socket_timeout'); // negative: no limit, in workers that wait for jobs
        $seconds = $timeout ?? ($ini < 0 ? self::LONGEST : $ini);
        if (is_nan($seconds) || $seconds < 0.001) { // with 0 a handshake may take any time
            $ini = $timeout === null ? ", and ini default_socket_timeout is $ini" : '';
            throw InvalidArgumentException::expected('timeout must be at least 0.001 seconds, or null', $timeout, $ini);
        }
        return min($seconds, self::LONGEST);
    }
}
