<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;

/**
 * What a PHP does that lacks FFI, the shared library, ext-sockets, or openssl.
 *
 * Each case is a PHP of its own, and proves first that it lacks what it is to lack.
 */
final class WithoutFfiTest extends KeepaliveTestCase
{
    /**
     * Flags, environment, proof, and what the message says to do.
     *
     * @return array<string, array{string[], array<string, string>, string, string}>
     */
    public static function withoutFfi(): array
    {
        // PHP 8.5 has no such setting any more; PHP 7.4 and 8.4 themselves crash with it.
        $disabled = PHP_VERSION_ID < 80000 || PHP_VERSION_ID >= 80400 ? [] : ['class FFI disabled' => [
            ['-d', 'disable_classes=FFI'],
            [],
            '!method_exists("FFI", "cdef")',
            'take it out of disable_classes in php.ini.',
        ]];
        return $disabled + [
            'ffi.enable=0' => [
                ['-d', 'ffi.enable=0'],
                [],
                'extension_loaded("ffi") && ini_get("ffi.enable") === "0"',
                'ffi.enable is "0"',
            ],
            'FFI extension missing' => [
                ['-n', '-d', 'extension=sockets'],
                [],
                '!extension_loaded("ffi") && !class_exists("FFI")',
                'The FFI extension is not loaded: install it',
            ],
            'library missing' => [
                [],
                ['KEEPALIVE_LIBRARY' => '/nonexistent'],
                'FFI::cdef() && !file_exists("/nonexistent")',
                '/nonexistent (KEEPALIVE_LIBRARY): no such file',
            ],
        ];
    }

    /**
     * @dataProvider withoutFfi
     * @param string[] $flags
     * @param array<string, string> $environment
     */
    #[DataProvider('withoutFfi')]
    public function testExtSocketsTakesOver(array $flags, array $environment, string $proof, string $cause): void
    {
        $said = self::inChild(
            $flags,
            $environment,
            $proof,
            '$listener = stream_socket_server("tcp://127.0.0.1:0");
            $stream = stream_socket_client("tcp://" . stream_socket_get_name($listener, false));
            $accepted = socket_accept(socket_import_stream($listener));
            foreach ([$listener, $stream, $accepted] as $socket) {
                Keepalive::enable($socket, 42, 7, 3, 63000);
                $kernel[] = Keepalive\Tests\Support\Kernel::options($socket);
                $settings[] = Keepalive::settings($socket) == Settings::of(42, 7, 3, 63000);
                Keepalive::disable($socket);
                $after[] = Keepalive\Tests\Support\Kernel::options($socket)["on"];
            }
            $said = [Keepalive::backend(), $kernel, $settings, $after, Keepalive::defaults()->enabled()];'
        );
        $options = ['on' => 1, 'idle' => 42, 'interval' => 7, 'count' => 3, 'userTimeoutMs' => 63000];
        self::assertSame(
            ['sockets', [$options, $options, $options], [true, true, true], [0, 0, 0], false],
            $said
        );
    }

    /**
     * @dataProvider withoutFfi
     * @param string[] $flags
     * @param array<string, string> $environment
     */
    #[DataProvider('withoutFfi')]
    public function testWhatNeedsFfiSaysWhatToTurnOn(array $flags, array $environment, string $proof, string $cause): void
    {
        $said = self::inChild(
            $flags,
            $environment,
            $proof,
            '$stream = stream_socket_server("tcp://127.0.0.1:0");
            $filtered = stream_socket_client("tcp://" . stream_socket_get_name($stream, false));
            stream_filter_append($filtered, "string.rot13");
            $said = [
                "status" => thrown(function () use ($stream) { Keepalive::status($stream); }),
                "sockets" => thrown(function () { Keepalive::sockets(); }),
                "descriptor" => thrown(function () { Keepalive::enable(3); }),
                "filtered" => thrown(function () use ($filtered) { Keepalive::enable($filtered); }),
            ];'
        );
        foreach ($said as $what => [$class, $code, $message]) {
            self::assertSame('Keepalive\Exception\UnavailableException', $class, $what);
            self::assertStringContainsString('needs FFI and the shared library.', $message, $what);
            self::assertStringContainsString($cause, $message, $what);
        }
    }

    public function testWithoutExtSocketsFfiIsEnough(): void
    {
        $said = self::inChild(
            ['-n', '-d', 'extension=ffi'],
            [],
            'extension_loaded("ffi") && !extension_loaded("sockets") && !function_exists("socket_create")',
            '$stream = stream_socket_server("tcp://127.0.0.1:0");
            Keepalive::enable($stream, 42, 7, 3, 63000);
            $said = [
                Keepalive::backend(),
                Keepalive\Tests\Support\Kernel::options($stream),
                Keepalive::settings($stream)->idle(),
                Keepalive::status($stream)->state(),
                in_array(stream_socket_get_name($stream, false), array_map(function ($open) {
                    return $open->local();
                }, Keepalive::sockets()), true),
                thrown(function () { Keepalive::enable(fopen("php://memory", "r")); })[1],
                thrown(function () { Keepalive::enable(stream_socket_client("udp://127.0.0.1:9")); })[1],
                thrown(function () { Keepalive::enable(-1); })[1],
            ];'
        );
        self::assertSame([
            'ffi',
            ['on' => 1, 'idle' => 42, 'interval' => 7, 'count' => 3, 'userTimeoutMs' => 63000],
            42,
            'LISTEN',
            true,
            SOCKET_ENOTSOCK,
            SOCKET_ENOPROTOOPT,
            SOCKET_EBADF,
        ], $said);
    }

    /** @return array<string, array{string[], array<string, string>, string}> */
    public static function withNeither(): array
    {
        return [
            'no FFI extension' => [['-n'], [], 'The FFI extension is not loaded: install it'],
            'FFI off' => [['-n', '-d', 'extension=ffi', '-d', 'ffi.enable=0'], [], 'ffi.enable is "0"'],
            'no library' => [
                ['-n', '-d', 'extension=ffi'],
                ['KEEPALIVE_LIBRARY' => '/nonexistent'],
                'Install it (make install in the package\'s folder, or the Debian package libkeepalive1)',
            ],
        ];
    }

    /**
     * @dataProvider withNeither
     * @param string[] $flags
     * @param array<string, string> $environment
     */
    #[DataProvider('withNeither')]
    public function testWithNeitherItSaysWhatToInstall(array $flags, array $environment, string $cause): void
    {
        $said = self::inChild(
            $flags,
            $environment,
            '!extension_loaded("sockets")',
            '$stream = stream_socket_server("tcp://127.0.0.1:0");
            $address = "tcp://" . stream_socket_get_name($stream, false);
            $said = [
                "enable" => thrown(function () use ($stream) { Keepalive::enable($stream); }),
                "settings" => thrown(function () use ($stream) { Keepalive::settings($stream); }),
                "disable" => thrown(function () use ($stream) { Keepalive::disable($stream); }),
                "status" => thrown(function () use ($stream) { Keepalive::status($stream); }),
                "defaults" => thrown(function () { Keepalive::defaults(); }),
                "sockets" => thrown(function () { Keepalive::sockets(); }),
                "backend" => thrown(function () { Keepalive::backend(); }),
                "connect" => thrown(function () use ($address) { Keepalive::connect($address); }),
            ];'
        );
        foreach ($said as $call => [$class, $code, $message]) {
            self::assertSame('Keepalive\Exception\UnavailableException', $class, "$call: $message");
            self::assertStringContainsString('Neither FFI nor the sockets extension can be used.', $message, $call);
            self::assertStringContainsString($cause, $message, $call);
            self::assertStringContainsString('install the sockets extension', $message, $call);
        }
    }

    public function testWithNeitherWhatFfiThrewIsAmongThePreviousExceptions(): void
    {
        $said = self::inChild(
            ['-n', '-d', 'extension=ffi', '-d', 'ffi.enable=0'],
            [],
            '!extension_loaded("sockets")',
            'try {
                Keepalive::backend();
            } catch (Throwable $thrown) {
                while ($thrown !== null) {
                    $said[] = get_class($thrown);
                    $thrown = $thrown->getPrevious();
                }
            }'
        );
        $unavailable = 'Keepalive\Exception\UnavailableException';
        self::assertSame([$unavailable, $unavailable, 'FFI\Exception'], $said);
    }

    public function testWithNeitherAWrongValueIsStillTheFirstThingSaid(): void
    {
        $said = self::inChild(
            ['-n'],
            [],
            '!extension_loaded("sockets") && !extension_loaded("ffi")',
            '$said = thrown(function () { Keepalive::enable(null, 2 ** 32 + 60); });'
        );
        self::assertSame('Keepalive\Exception\InvalidArgumentException', $said[0]);
    }

    /**
     * Every PHP on Debian has openssl built in, so this one says that it has none.
     */
    public function testWithoutOpensslATlsAddressSaysWhatItNeedsAndTcpWorks(): void
    {
        $said = self::inChild(
            [],
            [],
            'true',
            'eval("namespace Keepalive\\\\Internal; function stream_get_transports() { return [\"tcp\", \"udp\"]; }");
            $listener = stream_socket_server("tcp://127.0.0.1:0");
            $name = stream_socket_get_name($listener, false);
            $said = [
                thrown(function () use ($name) { Keepalive::connect("tls://$name"); }),
                Keepalive::settings(Keepalive::connect("tcp://$name"))->idle(),
            ];'
        );
        self::assertSame(
            [['Keepalive\Exception\UnavailableException', 0, 'tls:// needs the openssl extension.'], 60],
            $said
        );
    }

    /**
     * Runs $code, which leaves something in $said, and returns that.
     *
     * @param string[] $flags
     * @param array<string, string> $environment
     * @param string $proof a PHP expression that must be true
     * @return mixed
     */
    private static function inChild(array $flags, array $environment, string $proof, string $code)
    {
        $child = Child::php(
            "use Keepalive\Keepalive as K; use Keepalive\Settings;
            if (!($proof)) { exit('This PHP does not lack what the test is about.'); }
            function thrown(callable \$work): array {
                try { \$work(); } catch (Throwable \$e) { return [get_class(\$e), \$e->getCode(), \$e->getMessage()]; }
                return ['nothing', 0, 'nothing was thrown'];
            }
            " . preg_replace('/\bKeepalive::/', 'K::', $code) . '
            echo serialize($said);',
            $flags,
            $environment + ['KEEPALIVE_LIBRARY' => null]
        );
        self::assertMatchesRegularExpression('/^\w:/', $child->cleanOutput());
        return unserialize($child->output);
    }
}
