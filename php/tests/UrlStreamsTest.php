<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\UnavailableException;
use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\CastStream;
use Keepalive\Tests\Support\Certificates;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Sockets;
use Keepalive\Tests\Support\UrlServer;
use PHPUnit\Framework\Attributes\DataProvider;

/** Streams for which fstat() returns nothing, although there is a TCP connection behind them. */
final class UrlStreamsTest extends KeepaliveTestCase
{
    private static ?UrlServer $server = null;

    public static function setUpBeforeClass(): void
    {
        self::$server = new UrlServer();
    }

    public static function tearDownAfterClass(): void
    {
        self::$server = null;
    }

    /** @return array<string, array{string, string, string}> */
    public static function urls(): array
    {
        $withFfi = [
            'http://' => ['ffi', 'http', '/'],
            'http://, in chunks' => ['ffi', 'http', '/chunks'],
            'https://' => ['ffi', 'https', '/'],
            'https://, in chunks' => ['ffi', 'https', '/chunks'],
        ];
        return $withFfi + ['http://, without FFI' => ['sockets', 'http', '/']];
    }

    /** @dataProvider urls */
    #[DataProvider('urls')]
    public function testTheStreamOfAUrlIsReachedAndGoesOn(string $backend, string $protocol, string $path): void
    {
        self::useBackend($backend);
        $stream = self::open($protocol, $path);
        self::assertFalse(@fstat($stream), 'PHP tells now; this test is about streams of which it does not');
        $other = stream_socket_client('tcp://' . self::$server->address($protocol));
        $fd = Kernel::descriptorAt(stream_socket_get_name($stream, false), self::$server->address($protocol));

        Keepalive::enable($stream, 47, 11, 5, 102000);
        self::assertSame(
            ['on' => 1, 'idle' => 47, 'interval' => 11, 'count' => 5, 'userTimeoutMs' => 102000],
            Kernel::options($fd)
        );
        self::assertSame(0, Kernel::options($other)['on'], 'the other connection to the same server');
        self::assertEquals(Settings::of(47, 11, 5, 102000), Keepalive::settings($stream));
        self::assertSame('hello', fread($stream, 5));
        Keepalive::disable($stream);
        self::assertSame(0, Kernel::options($fd)['on']);
    }

    public function testFtp(): void
    {
        $stream = fopen(self::$server->url('ftp', '/file'), 'r');
        self::assertFalse(@fstat($stream));
        Keepalive::enable($stream, 47, 11, 5);
        $fd = Kernel::descriptorAt(stream_socket_get_name($stream, false), stream_socket_get_name($stream, true));
        self::assertSame(47, Kernel::options($fd)['idle'], 'the connection for the data');
        self::assertSame('hello', fread($stream, 5));
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAWrapperThatCanBeCast(string $backend): void
    {
        self::useBackend($backend);
        $address = stream_socket_get_name($listener = Sockets::listener('127.0.0.1'), false);
        $stream = CastStream::around($address);
        Keepalive::enable($stream, 47, 11, 5);
        self::assertSame(47, Kernel::options(Kernel::descriptorAt(null, $address))['idle']);
        self::assertSame(47, Keepalive::settings($stream)->idle());
    }

    public function testStatusToo(): void
    {
        self::assertSame('ESTABLISHED', Keepalive::status(self::open('https', '/'))->state());
    }

    public function testWithoutFfiAFilteredStreamNamesFfi(): void
    {
        self::useBackend('sockets');
        $stream = self::open('http', '/chunks');
        $this->expectException(UnavailableException::class);
        $this->expectExceptionMessage('an established TLS or filtered stream needs FFI');
        Keepalive::enable($stream);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAStreamThatPhpTellsNothingOfSaysSo(string $backend): void
    {
        self::useBackend($backend);
        $address = stream_socket_get_name($listener = Sockets::listener('127.0.0.1'), false);
        $stream = CastStream::around($address, true);
        $thrown = self::thrownBy(static function () use ($stream): void {
            Keepalive::enable($stream);
        });
        self::assertInstanceOf(UnavailableException::class, $thrown);
        self::assertMatchesRegularExpression(
            '/^PHP does not tell which socket is behind stream #\d+ \(user-space\), if any\. If it is a TCP connection, '
            . 'Keepalive::enableConnectionsTo\(/',
            $thrown->getMessage()
        );
        self::useBackend('ffi');
        self::assertSame(1, Keepalive::enableConnectionsTo($address, Settings::of(48, 11, 5)), 'and it does');
        self::assertSame(48, Kernel::options(Kernel::descriptorAt(null, $address))['idle']);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testNothingReachesAnErrorHandler(string $backend): void
    {
        self::useBackend($backend);
        $warnings = [];
        $stream = self::open('http', '/');
        $folder = opendir(__DIR__);
        set_error_handler(static function (int $level, string $message) use (&$warnings): bool {
            $warnings[] = $message;
            return true;
        });
        try {
            Keepalive::enable($stream);
            self::thrownBy(static function () use ($folder): void {
                Keepalive::enable($folder);
            });
        } finally {
            restore_error_handler();
        }
        self::assertSame([], $warnings);
    }

    /** @return resource */
    private static function open(string $protocol, string $path)
    {
        $context = stream_context_create([
            'http' => ['protocol_version' => '1.1'],
            'ssl' => ['cafile' => Certificates::authority()],
        ]);
        return fopen(self::$server->url($protocol, $path), 'r', false, $context);
    }
}
