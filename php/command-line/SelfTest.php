<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Keepalive;
use Keepalive\Settings;

/**
 * Sets keepalive on a connection to itself over the loopback network, and reads it back.
 *
 * @internal
 */
final class SelfTest
{
    /** Its settings, 3/2/5 and 13 s, are not the defaults of any system. */
    private const DETECT_WITHIN = 30;

    /** The limit for every wait here, in seconds; all answers come at once. */
    private const PATIENCE = 5;

    /**
     * @return array{ok: bool, problem: string|null, peer: string|null, asked: array<string, mixed>|null,
     *     kernel: array<string, mixed>|null, timer: array{name: string, seconds: float}|null}
     */
    public static function tcp(): array
    {
        return self::run(static function (): array {
            return self::connect(stream_context_create());
        });
    }

    /**
     * On an established TLS connection, with a certificate of its own.
     *
     * @return array{ok: bool, problem: string|null, peer: string|null, asked: array<string, mixed>|null,
     *     kernel: array<string, mixed>|null, timer: array{name: string, seconds: float}|null}
     */
    public static function tls(): array
    {
        return self::run(static function (): array {
            $file = tempnam(sys_get_temp_dir(), 'keepalive-doctor-');
            if ($file === false) {
                throw new \RuntimeException('no temporary file can be made for the certificate');
            }
            try {
                self::writeCertificate($file);
                $connection = self::connect(stream_context_create(['ssl' => ['local_cert' => $file]]));
                self::encrypt(...$connection);
            } finally {
                unlink($file);
            }
            return $connection;
        });
    }

    /**
     * @param callable(): array{resource, resource} $connect
     * @return array{ok: bool, problem: string|null, peer: string|null, asked: array<string, mixed>|null,
     *     kernel: array<string, mixed>|null, timer: array{name: string, seconds: float}|null}
     */
    private static function run(callable $connect): array
    {
        $result = ['ok' => false, 'problem' => null, 'peer' => null, 'asked' => null, 'kernel' => null, 'timer' => null];
        try {
            set_error_handler(static function (int $level, string $message): bool {
                throw new \RuntimeException($message);
            });
            [$client, $server] = $connect();
            $result['peer'] = (string) stream_socket_get_name($client, true);
            $asked = Settings::detectWithin(self::DETECT_WITHIN);
            $result['asked'] = self::values($asked);
            Keepalive::apply($client, $asked);
            $kernel = Keepalive::settings($client);
            $result['kernel'] = self::values($kernel);
            $result['timer'] = self::timer($client);
            if (fwrite($client, "still alive\n") === false || fgets($server) !== "still alive\n") {
                $result['problem'] = 'the connection carries no data afterwards';
            } elseif ($result['kernel'] != $result['asked']) {
                $result['problem'] = 'the kernel reports other values than were set';
            }
            $result['ok'] = $result['problem'] === null;
        } catch (\Throwable $failure) {
            // Any of them: a function that disable_functions has disabled is an Error.
            $result['problem'] = $failure->getMessage();
        } finally {
            if (function_exists('restore_error_handler')) {
                restore_error_handler();
            }
        }
        return $result;
    }

    /**
     * @return array{enabled: bool, idle: int, interval: int, count: int, user_timeout_ms: int|null}
     */
    public static function values(Settings $settings): array
    {
        return [
            'enabled' => $settings->enabled(),
            'idle' => $settings->idle(),
            'interval' => $settings->interval(),
            'count' => $settings->count(),
            'user_timeout_ms' => $settings->userTimeoutMs(),
        ];
    }

    /**
     * @param resource $context the server's
     * @return array{resource, resource} client and server
     */
    private static function connect($context): array
    {
        $flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
        try {
            $listener = self::opened(stream_socket_server('tcp://127.0.0.1:0', $errno, $message, $flags, $context));
        } catch (\RuntimeException $noIpv4) {
            $listener = self::opened(stream_socket_server('tcp://[::1]:0', $errno, $message, $flags, $context));
        }
        $address = 'tcp://' . (string) stream_socket_get_name($listener, false);
        $client = self::opened(stream_socket_client($address, $errno, $message, self::PATIENCE));
        $server = self::opened(stream_socket_accept($listener, self::PATIENCE));
        stream_set_timeout($server, self::PATIENCE);
        return [$client, $server];
    }

    /**
     * @param resource|false $stream
     * @return resource
     */
    private static function opened($stream)
    {
        if ($stream === false) { // without a warning, which run() turns into an exception
            throw new \RuntimeException('no connection over the loopback network could be made');
        }
        return $stream;
    }

    /**
     * Both ends are in this process, so neither may block.
     *
     * @param resource $client
     * @param resource $server
     */
    private static function encrypt($client, $server): void
    {
        stream_context_set_option($client, 'ssl', 'verify_peer', false);
        stream_context_set_option($client, 'ssl', 'verify_peer_name', false);
        stream_set_blocking($client, false);
        stream_set_blocking($server, false);
        $clientDone = $serverDone = false;
        $deadline = microtime(true) + self::PATIENCE;
        while ($clientDone !== true || $serverDone !== true) {
            if (microtime(true) > $deadline) {
                throw new \RuntimeException('the TLS handshake did not end');
            }
            $clientDone = $clientDone ?: stream_socket_enable_crypto($client, true, STREAM_CRYPTO_METHOD_TLS_CLIENT);
            $serverDone = $serverDone ?: stream_socket_enable_crypto($server, true, STREAM_CRYPTO_METHOD_TLS_SERVER);
        }
        stream_set_blocking($client, true);
        stream_set_blocking($server, true);
    }

    private static function writeCertificate(string $file): void
    {
        // OpenSSL needs a configuration, and the system's may be missing, or may restrict which keys can be made.
        file_put_contents($file, "[req]\ndistinguished_name = name\n[name]\n");
        $options = [
            'config' => $file,
            'private_key_type' => OPENSSL_KEYTYPE_EC,
            'curve_name' => 'prime256v1',
            'private_key_bits' => 2048, // unused, but checked
            'digest_alg' => 'sha256',
        ];
        $key = openssl_pkey_new($options);
        $request = $key === false ? false : openssl_csr_new(['commonName' => 'keepalive doctor'], $key, $options);
        $certificate = is_bool($request) ? false : openssl_csr_sign($request, null, $key, 1, $options);
        if ($key === false || $certificate === false) {
            throw new \RuntimeException('OpenSSL could not make a certificate: ' . (string) openssl_error_string());
        }
        openssl_x509_export($certificate, $certificatePem);
        openssl_pkey_export($key, $keyPem, null, $options);
        file_put_contents($file, $certificatePem . $keyPem);
    }

    /**
     * Which timer of the connection runs, from Linux's table of connections; null if that cannot be read.
     *
     * @param resource $client
     * @return array{name: string, seconds: float}|null
     */
    private static function timer($client): ?array
    {
        try {
            $entry = ConnectionTable::of('self')[fstat($client)['ino'] ?? 0] ?? null; // null: not Linux, or open_basedir
        } catch (\Throwable $disabledFunction) {
            return null;
        }
        return $entry === null ? null : ['name' => $entry['timer'], 'seconds' => $entry['timerAt'] - hrtime(true) / 1e9];
    }
}
