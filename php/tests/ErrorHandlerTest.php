<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\KeepaliveException;
use Keepalive\Exception\SocketException;
use Keepalive\Exception\UnavailableException;
use Keepalive\Keepalive;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Sockets;
use PHPUnit\Framework\Attributes\DataProvider;

/** The application's error handler is not called for what happens inside the package, and is not replaced. */
final class ErrorHandlerTest extends KeepaliveTestCase
{
    /** @var string[] what the handler of the test has heard */
    private array $heard = [];

    private bool $listens = false;

    protected function tearDown(): void
    {
        if ($this->listens) {
            restore_error_handler();
        }
        parent::tearDown();
    }

    /** @return array<string, array{string, string}> */
    public static function handlers(): array
    {
        return self::withBothBackends([
            'one that listens' => ['listens'],
            'one that throws' => ['throws'],
        ]);
    }

    /** @dataProvider handlers */
    #[DataProvider('handlers')]
    public function testItHearsNothingWhereAllIsWell(string $backend, string $handler): void
    {
        self::useBackend($backend);
        $kinds = Sockets::plainStreams() + Sockets::sockets();
        if ($backend === 'ffi') {
            $kinds += Sockets::wrappedStreams() + Sockets::descriptors();
        }
        $opened = array_map(static function (callable $open) {
            return $open();
        }, $kinds);
        $this->listen($handler);
        foreach ($opened as $kind => $one) {
            Keepalive::enable($one->socket, 42, 7, 3, 63000);
            self::assertSame(42, Keepalive::settings($one->socket)->idle(), $kind);
            Keepalive::disable($one->socket);
        }
        Keepalive::defaults();
        $this->assertNothingWasHeard();
    }

    /** @dataProvider handlers */
    #[DataProvider('handlers')]
    public function testItHearsNothingOfDataInTheBuffer(string $backend, string $handler): void
    {
        self::useBackend($backend);
        $opened = Sockets::pair('127.0.0.1');
        fwrite($opened->peer, "one\ntwo\n");
        fgets($opened->socket);
        $this->listen($handler);

        Keepalive::enable($opened->socket);

        self::assertSame("two\n", fgets($opened->socket));
        $this->assertNothingWasHeard();
    }

    /** @dataProvider handlers */
    #[DataProvider('handlers')]
    public function testItHearsNothingOfMistakesWhichStayWhatTheyAre(string $backend, string $handler): void
    {
        self::useBackend($backend);
        $closed = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        socket_close($closed);
        $ofClosed = socket_import_stream($stream = Sockets::listener('127.0.0.1'));
        fclose($stream);
        $mistakes = [
            fopen('php://memory', 'r'),
            opendir(__DIR__),
            popen('true', 'r'),
            stream_context_create(),
            stream_socket_client('udp://127.0.0.1:9'),
            socket_create(AF_UNIX, SOCK_STREAM, 0),
            $stream,
            $closed,
            $ofClosed,
            null,
            'abc',
            3.9,
            PHP_INT_MAX,
        ];
        if ($backend === 'sockets') {
            $mistakes[] = Sockets::tlsPair(true)->socket;
            $mistakes[] = Sockets::kind('filtered stream')()->socket;
        }
        $expected = array_map([self::class, 'whatHappens'], $mistakes);
        $this->listen($handler);
        self::assertSame($expected, array_map([self::class, 'whatHappens'], $mistakes));
        $this->assertNothingWasHeard();
    }

    /** @dataProvider handlers */
    #[DataProvider('handlers')]
    public function testItHearsNothingOfStreamsOfOtherKinds(string $backend, string $handler): void
    {
        self::useBackend($backend);
        $streams = [
            'memory' => fopen('php://memory', 'r+'),
            'temporary' => fopen('php://temp', 'r+'),
            'output' => fopen('php://output', 'w'),
            'data' => fopen('data:text/plain,x', 'r'),
            'filtered file' => fopen('php://filter/read=string.rot13/resource=' . __FILE__, 'r'),
            'compressed file' => fopen('compress.zlib://' . __FILE__, 'r'),
            'folder' => opendir(__DIR__),
            'glob' => opendir('glob://' . __DIR__ . '/*'),
            'pipe' => popen('true', 'r'),
        ];
        self::assertNotContains(false, $streams);
        $this->listen($handler);
        foreach ($streams as $kind => $stream) {
            foreach (['enable', 'settings', 'disable', 'status'] as $method) {
                $thrown = self::thrownBy(static function () use ($method, $stream): void {
                    Keepalive::$method($stream);
                });
                $isUntold = in_array($kind, ['output', 'compressed file', 'folder', 'glob'], true); // fstat() fails
                $expected = $isUntold ? UnavailableException::class : SocketException::class;
                self::assertSame($expected, get_class($thrown), "$method: $kind");
            }
        }
        $this->assertNothingWasHeard();
    }

    /**
     * PHP 8.6 lets a stream's context choose that errors are thrown, or not told. Before, it ignores that option.
     *
     * @dataProvider backends
     */
    #[DataProvider('backends')]
    public function testTheErrorModeOfAStreamChangesNothing(string $backend): void
    {
        self::useBackend($backend);
        $wrapper = new class {
            /** @var resource */
            public $context;

            public function stream_open(): bool // phpcs:ignore PSR1.Methods.CamelCapsMethodName
            {
                return true;
            }
        };
        $scheme = "keepalive-test-$backend";
        stream_wrapper_register($scheme, get_class($wrapper));
        $said = [];
        foreach (PHP_VERSION_ID < 80600 ? ['', 'Exception'] : \StreamErrorMode::cases() as $number => $mode) {
            $context = stream_context_create(['stream' => ['error_mode' => $mode]]);
            $listener = Sockets::listener('127.0.0.1');
            $address = 'tcp://127.0.0.1:' . Sockets::port($listener);
            $filtered = stream_socket_client($address, $errno, $message, 5, STREAM_CLIENT_CONNECT, $context);
            stream_filter_append($filtered, 'string.rot13');
            foreach ([$filtered, fopen("$scheme://", 'r', false, $context)] as $stream) {
                foreach (['enable', 'settings', 'disable', 'status'] as $method) {
                    try {
                        Keepalive::$method($stream);
                        $said[$number][] = 'fine';
                    } catch (KeepaliveException $refused) {
                        $said[$number][] = get_class($refused) . preg_replace('/#\d+/', '#', $refused->getMessage());
                    }
                }
            }
        }
        self::assertSame(1, count(array_unique($said, SORT_REGULAR)), print_r($said, true));
    }

    /** @dataProvider handlers */
    #[DataProvider('handlers')]
    public function testItHearsNothingOfConnectionsThatFail(string $backend, string $handler): void
    {
        self::useBackend($backend);
        $free = Sockets::listener('127.0.0.1');
        $refused = Sockets::port($free);
        fclose($free);
        // Queues the connection, and never answers a handshake.
        $silent = Sockets::port($listener = Sockets::listener('127.0.0.1'));
        $addresses = [
            "tcp://127.0.0.1:$refused",
            "tls://127.0.0.1:$refused",
            "tls://127.0.0.1:$silent",
            'tcp://no-such-host.invalid:80',
            'tcp://127.0.0.1',
        ];
        $this->listen($handler);
        foreach ($addresses as $address) {
            $thrown = self::thrownBy(static function () use ($address): void {
                Keepalive::connect($address, null, 0.2);
            });
            self::assertInstanceOf(KeepaliveException::class, $thrown, "$address: " . get_class($thrown));
        }
        $this->assertNothingWasHeard();
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItHearsNothingWhereNoDescriptorIsFree(string $backend): void
    {
        $child = Child::program('error-handler-without-descriptors', $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0']);
        self::assertSame("$backend " . SocketException::class . ' ' . SOCKET_EMFILE, $child->cleanOutput());
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItIsInPlaceAgainAfterwards(string $backend): void
    {
        self::useBackend($backend);
        $this->listen('listens');
        $opened = Sockets::pair('127.0.0.1');
        Keepalive::enable($opened->socket);
        self::thrownBy(static function (): void {
            Keepalive::enable(fopen('php://memory', 'r'));
        });
        self::thrownBy(static function (): void {
            Keepalive::connect('tcp://127.0.0.1');
        });
        Keepalive::connect('tcp://127.0.0.1:' . Sockets::port($listener = Sockets::listener('127.0.0.1')));

        trigger_error('heard');

        self::assertSame(['heard'], $this->heard);
    }

    public function testLastErrorIsNotDisturbedByACallThatWentWell(): void
    {
        $opened = Sockets::pair('127.0.0.1');
        error_clear_last();
        Keepalive::enable($opened->socket);
        Keepalive::settings($opened->socket);
        self::assertNull(error_get_last());
    }

    private function assertNothingWasHeard(): void
    {
        self::assertSame([], $this->heard);
        self::assertNull(error_get_last(), 'nor PHP itself');
    }

    private function listen(string $handler): void
    {
        $this->listens = true;
        error_clear_last();
        // Ignores @, as the strictest handlers do.
        set_error_handler(function (int $level, string $message, string $file, int $line) use ($handler): bool {
            $this->heard[] = $message;
            if ($handler === 'throws') {
                throw new \ErrorException($message, 0, $level, $file, $line);
            }
            return true;
        });
    }

    /**
     * @param mixed $mistake
     * @return array{string, int|string}
     */
    private static function whatHappens($mistake): array
    {
        $thrown = self::thrownBy(static function () use ($mistake): void {
            Keepalive::enable($mistake);
        });
        self::assertInstanceOf(KeepaliveException::class, $thrown);
        return [get_class($thrown), $thrown->getCode()];
    }
}
