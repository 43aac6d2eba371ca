<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;

/**
 * PHP without FFI, the shared library, ext-sockets, or openssl.
 *
 * Each case is a PHP process of its own, and first proves that this is really missing.
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
        // PHP 8.5 no longer has this setting; PHP 7.4 and 8.4 themselves crash with it.
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
                'The FFI extension is not loaded.',
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
            'ffi-sets'
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
            'ffi-refuses'
        );
        foreach ($said as $what => [$class, $code, $message]) {
            self::assertSame('Keepalive\Exception\UnavailableException', $class, $what);
            self::assertStringContainsString('needs FFI and the shared library.', $message, $what);
            self::assertStringContainsString($cause, $message, $what);
        }
    }

    /** As pages do whose classes are preloaded. PHP itself has no TCP_USER_TIMEOUT before 8.6. */
    public function testItNeedsNoAutoloaderOfComposer(): void
    {
        self::assertSame(
            'sockets {"enabled":true,"idle":60,"interval":10,"count":6,"userTimeoutMs":120000}',
            Child::program('without-constants', ['-d', 'ffi.enable=0'])->cleanOutput()
        );
    }

    public function testWhatFfiThrewIsAmongThePreviousExceptions(): void
    {
        file_put_contents($text = $this->folder() . '/text.so', 'text');
        foreach ([['-d', 'ffi.enable=0'], []] as $flags) {
            $said = self::inChild($flags, ['KEEPALIVE_LIBRARY' => $text], 'true', 'previous');
            $unavailable = 'Keepalive\Exception\UnavailableException';
            self::assertSame([$unavailable, $unavailable, 'FFI\Exception'], $said);
        }
    }

    public function testWithoutExtSocketsFfiIsEnough(): void
    {
        $said = self::inChild(
            ['-n', '-d', 'extension=ffi'],
            [],
            'extension_loaded("ffi") && !extension_loaded("sockets") && !function_exists("socket_create")',
            'sockets-extension'
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
            'no FFI extension' => [['-n'], [], 'The FFI extension is not loaded.'],
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
            'both'
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
            'previous'
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
            'both-wrong-value'
        );
        self::assertSame('Keepalive\Exception\InvalidArgumentException', $said[0]);
    }

    /**
     * Every PHP on Debian has openssl built in, so a function here says that there is none.
     */
    public function testWithoutOpensslATlsAddressSaysWhatItNeedsAndTcpWorks(): void
    {
        $said = self::inChild(
            [],
            [],
            'true',
            'openssl'
        );
        self::assertSame(
            [['Keepalive\Exception\UnavailableException', 0, 'tls:// needs the openssl extension.'], 60],
            $said
        );
    }

    /**
     * What programs/without-NAME.php returns.
     *
     * @param string[] $flags
     * @param array<string, string> $environment
     * @param string $proof a PHP expression that must be true
     * @return mixed
     */
    private static function inChild(array $flags, array $environment, string $proof, string $name)
    {
        $environment += ['KEEPALIVE_LIBRARY' => null];
        $output = Child::program('without', $flags, $environment, [], [$name, $proof])->cleanOutput();
        self::assertMatchesRegularExpression('/^\w:/', $output);
        return unserialize($output);
    }
}
