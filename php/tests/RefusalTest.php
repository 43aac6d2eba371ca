<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\KeepaliveException;
use Keepalive\Exception\SocketException;
use Keepalive\Exception\TypeError;
use Keepalive\Exception\UnavailableException;
use Keepalive\Keepalive;
use Keepalive\OpenSocket;
use Keepalive\Settings;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Sockets;
use PHPUnit\Framework\Attributes\DataProvider;

/** Sockets that are not TCP are refused, the same way with and without FFI, and stay as they were. */
final class RefusalTest extends KeepaliveTestCase
{
    /**
     * What is given, the exception, its code, and the code of the calls that read first where the
     * kernel gives them another.
     *
     * @return array<string, array{0: callable(): mixed, 1: class-string, 2: int, 3?: int}>
     */
    private static function mistakes(): array
    {
        $of = static function ($value): callable {
            return static function () use ($value) {
                return $value;
            };
        };
        return [
            'UDP stream' => [[self::class, 'udpStream'], SocketException::class, SOCKET_ENOPROTOOPT, SOCKET_EOPNOTSUPP],
            'UDP Socket' => [static function () {
                return socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
            }, SocketException::class, SOCKET_ENOPROTOOPT, SOCKET_EOPNOTSUPP],
            'unix stream' => [static function () {
                return stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0)[0];
            }, SocketException::class, SOCKET_EOPNOTSUPP],
            'unix Socket' => [static function () {
                return socket_create(AF_UNIX, SOCK_STREAM, 0);
            }, SocketException::class, SOCKET_EOPNOTSUPP],
            'closed stream' => [static function () {
                $stream = Sockets::listener('127.0.0.1');
                fclose($stream);
                return $stream;
            }, TypeError::class, 0],
            'closed Socket' => [static function () {
                $socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
                socket_close($socket);
                return $socket;
            }, TypeError::class, 0],
            'Socket of a closed stream' => [static function () {
                $stream = Sockets::listener('127.0.0.1');
                $socket = socket_import_stream($stream);
                fclose($stream);
                return $socket;
            }, SocketException::class, SOCKET_EBADF],
            'memory stream' => [static function () {
                return fopen('php://memory', 'r+');
            }, SocketException::class, SOCKET_ENOTSOCK],
            'temporary stream' => [static function () {
                return fopen('php://temp', 'r+');
            }, SocketException::class, SOCKET_ENOTSOCK],
            'file' => [static function () {
                return fopen(__FILE__, 'r');
            }, SocketException::class, SOCKET_ENOTSOCK],
            'pipe' => [static function () {
                return popen('true', 'r');
            }, SocketException::class, SOCKET_ENOTSOCK],
            'data: stream' => [static function () {
                return fopen('data:text/plain,x', 'r');
            }, SocketException::class, SOCKET_ENOTSOCK],
            'folder' => [static function () {
                return opendir(__DIR__);
            }, UnavailableException::class, 0],
            'stream context' => [static function () {
                return stream_context_create();
            }, TypeError::class, 0],
            'null' => [$of(null), TypeError::class, 0],
            'empty string' => [$of(''), TypeError::class, 0],
            'numeric string' => [$of('3'), TypeError::class, 0],
            'word' => [$of('abc'), TypeError::class, 0],
            'float' => [$of(3.9), TypeError::class, 0],
            'whole float' => [$of(3.0), TypeError::class, 0],
            'not a number' => [$of(NAN), TypeError::class, 0],
            'true' => [$of(true), TypeError::class, 0],
            'false' => [$of(false), TypeError::class, 0],
            'array' => [$of([3]), TypeError::class, 0],
            'object' => [$of(new \stdClass()), TypeError::class, 0],
            'closure' => [$of(static function (): void {
            }), TypeError::class, 0],
        ];
    }

    /**
     * Numbers, which nothing but FFI reaches.
     *
     * @return array<string, array{int, int}>
     */
    public static function wrongDescriptors(): array
    {
        $numbers = [
            'negative' => [-1, SOCKET_EBADF],
            'smallest' => [PHP_INT_MIN, SOCKET_EBADF],
            'not open' => [1000000, SOCKET_EBADF],
            'largest int of C' => [0x7FFFFFFF, SOCKET_EBADF],
            'one more' => [0x80000000, SOCKET_EBADF],
            'as 0 in C' => [2 ** 32, SOCKET_EBADF],
            'largest' => [PHP_INT_MAX, SOCKET_EBADF],
        ];
        return array_filter($numbers, static function (array $number): bool {
            return is_int($number[0]); // in 32-bit PHP the larger ones are floats
        });
    }

    /** @return array<string, array{string, string}> */
    public static function everyMistake(): array
    {
        return self::withBothBackends(array_map(static function (string $mistake): array {
            return [$mistake];
        }, array_combine(array_keys(self::mistakes()), array_keys(self::mistakes()))));
    }

    private const CALLS_THAT_READ_FIRST = ['enable with nothing but UNCHANGED', 'disable', 'settings'];

    /** @return array<string, callable(mixed): void> */
    private static function calls(): array
    {
        return [
            'enable' => static function ($socket): void {
                Keepalive::enable($socket, 42, 7, 3);
            },
            'enable with a user timeout' => static function ($socket): void {
                Keepalive::enable($socket, 42, 7, 3, 63000);
            },
            'enable with nothing but UNCHANGED' => static function ($socket): void {
                Keepalive::enable($socket, -1, -1, -1);
            },
            'enable with the defaults' => static function ($socket): void {
                Keepalive::enable($socket, 0, 0, 0);
            },
            'apply' => static function ($socket): void {
                Keepalive::apply($socket, Settings::detectWithin(30));
            },
            'disable' => static function ($socket): void {
                Keepalive::disable($socket);
            },
            'settings' => static function ($socket): void {
                Keepalive::settings($socket);
            },
        ];
    }

    /** @dataProvider everyMistake */
    #[DataProvider('everyMistake')]
    public function testEveryCallRefusesIt(string $backend, string $mistake): void
    {
        self::useBackend($backend);
        [$make, $class, $set] = self::mistakes()[$mistake];
        $read = self::mistakes()[$mistake][3] ?? $set;
        $given = $make();
        foreach (self::calls() as $call => $work) {
            $code = in_array($call, self::CALLS_THAT_READ_FIRST, true) ? $read : $set;
            $thrown = self::thrownBy(static function () use ($work, $given): void {
                $work($given);
            });
            self::assertSame($class, get_class($thrown), "$call: {$thrown->getMessage()}");
            self::assertSame($code, $thrown->getCode(), "$call: {$thrown->getMessage()}");
            self::assertInstanceOf(KeepaliveException::class, $thrown, $call);
        }
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testWhatPhpThrewIsThePreviousException(string $backend): void
    {
        self::useBackend($backend);
        socket_close($closed = socket_create(AF_INET, SOCK_STREAM, SOL_TCP));
        $thrown = self::thrownBy(static function () use ($closed): void {
            Keepalive::enable($closed);
        });
        // PHP 7.4 throws nothing there.
        self::assertSame(PHP_VERSION_ID >= 80000, $thrown->getPrevious() instanceof \Error, get_class($thrown));
    }

    /** @return array<string, array{string[], string}> */
    public static function policies(): array
    {
        return [
            'ffi' => [[], 'ffi'],
            'sockets' => [['-d', 'ffi.enable=0'], 'sockets'],
        ];
    }

    /**
     * As in a container whose seccomp profile refuses setsockopt().
     *
     * @dataProvider policies
     * @param string[] $flags
     */
    #[DataProvider('policies')]
    public function testWhatAPolicyRefusesIsNotBlamedOnTheSocket(array $flags, string $backend): void
    {
        $injection = ['-e', 'trace=setsockopt', '-e', 'inject=setsockopt:error=EPERM:when=2+']; // the first is PHP's own
        $strace = array_merge(['strace', '-f', '-qq', '-o', '/dev/null'], $injection);
        $output = Child::program('refused-by-policy', $flags, [], $strace)->cleanOutput();
        self::assertMatchesRegularExpression("/^$backend\n1 Setting TCP_USER_TIMEOUT=13000.*: EPERM: a security policy/", $output);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testStatusOfWhatIsNoSocketIsATypeErrorWithoutFfiToo(string $backend): void
    {
        self::useBackend($backend);
        foreach (self::mistakes() as $mistake => [$make, $class]) {
            if ($class !== TypeError::class || $mistake === 'closed Socket') { // at which nobody looks without FFI
                continue;
            }
            $given = $make();
            $thrown = self::thrownBy(static function () use ($given): void {
                Keepalive::status($given);
            });
            self::assertSame(TypeError::class, get_class($thrown), "$mistake: {$thrown->getMessage()}");
        }
        if ($backend === 'sockets') {
            foreach ([1, new OpenSocket(1, 1, '', ''), Sockets::listener('127.0.0.1')] as $socket) {
                self::assertInstanceOf(UnavailableException::class, self::thrownBy(static function () use ($socket): void {
                    Keepalive::status($socket);
                }));
            }
        }
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testASocketThatIsNotTcpStaysAsItWas(string $backend): void
    {
        self::useBackend($backend);
        $others = [
            'UDP' => self::udpStream(),
            'unix' => stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0)[0],
            'UDP Socket' => socket_create(AF_INET, SOCK_DGRAM, SOL_UDP),
        ];
        foreach ($others as $kind => $socket) {
            foreach (self::calls() as $call => $work) {
                self::thrownBy(static function () use ($work, $socket): void {
                    $work($socket);
                });
                self::assertSame(0, Kernel::options($socket)['on'], "$kind: SO_KEEPALIVE after $call");
            }
        }
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testKeepaliveThatIsOnWhereItMeansNothingIsNotSwitchedOffEither(string $backend): void
    {
        self::useBackend($backend);
        $udp = socket_create(AF_INET, SOCK_DGRAM, SOL_UDP);
        socket_set_option($udp, SOL_SOCKET, SO_KEEPALIVE, 1);

        self::thrownBy(static function () use ($udp): void {
            Keepalive::disable($udp);
        });

        self::assertSame(1, Kernel::options($udp)['on']);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAMessageSaysWhatWasTriedOnWhatAndWhy(string $backend): void
    {
        self::useBackend($backend);
        $udp = self::udpStream();
        $thrown = self::thrownBy(static function () use ($udp): void {
            Keepalive::enable($udp, 42, 7, 3);
        });
        self::assertMatchesRegularExpression(
            '/^Setting TCP_KEEPINTVL=7.* failed on stream #\d+ \(udp_socket.*\): ENOPROTOOPT: the socket is not TCP/',
            $thrown->getMessage()
        );

        $thrown = self::thrownBy(static function (): void {
            Keepalive::enable('3');
        });
        self::assertSame(
            "A stream resource, a Socket, an int descriptor or an OpenSocket is needed; string '3' was given.",
            $thrown->getMessage()
        );

        $thrown = self::thrownBy(static function (): void {
            Keepalive::enable(stream_context_create());
        });
        self::assertStringContainsString('resource of type stream-context was given.', $thrown->getMessage());
    }

    /** @return array<string, array{callable(): mixed}> */
    public static function clients(): array
    {
        return [
            'curl' => ['curl_init'],
            'a client in PHP' => [static function (): object {
                return new \ArrayObject();
            }],
        ];
    }

    /**
     * What people give first.
     *
     * @dataProvider clients
     */
    #[DataProvider('clients')]
    public function testAClientThatHidesItsConnectionNamesEnableConnectionsTo(callable $client): void
    {
        $given = $client();
        $thrown = self::thrownBy(static function () use ($given): void {
            Keepalive::enable($given);
        });
        self::assertInstanceOf(TypeError::class, $thrown);
        self::assertStringContainsString("Keepalive::enableConnectionsTo('host:port') finds these", $thrown->getMessage());
    }

    /** @dataProvider wrongDescriptors */
    #[DataProvider('wrongDescriptors')]
    public function testANumberThatIsNoOpenDescriptorIsRefused(int $descriptor, int $code): void
    {
        foreach (self::calls() as $call => $work) {
            $thrown = self::thrownBy(static function () use ($work, $descriptor): void {
                $work($descriptor);
            });
            self::assertSame(SocketException::class, get_class($thrown), $call);
            self::assertSame($code, $thrown->getCode(), $call);
            self::assertStringContainsString("descriptor $descriptor", $thrown->getMessage(), $call);
        }
    }

    public function testADescriptorBeyondCsIntIsNotCutDownToAnother(): void
    {
        $opened = Sockets::pair('127.0.0.1');
        $before = $opened->options();
        $fd = Kernel::descriptor($opened->socket);

        $thrown = self::thrownBy(static function () use ($fd): void {
            Keepalive::enable(PHP_INT_SIZE === 8 ? 2 ** 32 + $fd : PHP_INT_MIN + $fd);
        });

        self::assertSame(SOCKET_EBADF, $thrown->getCode());
        self::assertSame($before, $opened->options());
    }

    /** @return array<string, array{callable(int): OpenSocket}> */
    public static function openSocketsByOthers(): array
    {
        return [
            'made by the application' => [static function (int $fd): OpenSocket {
                return new OpenSocket($fd, 1, '', '');
            }],
            'unserialized' => [static function (int $fd): OpenSocket {
                return unserialize(str_replace('i:77;', "i:$fd;", serialize(new OpenSocket(77, 1, '', ''))));
            }],
        ];
    }

    /**
     * @dataProvider openSocketsByOthers
     * @param callable(int): OpenSocket $make
     */
    #[DataProvider('openSocketsByOthers')]
    public function testNorIsOneThatAnOpenSocketHas(callable $make): void
    {
        $opened = Sockets::pair('127.0.0.1');
        $before = $opened->options();
        $fd = Kernel::descriptor($opened->socket);
        $calls = self::calls() + ['status' => static function ($socket): void {
            Keepalive::status($socket);
        }];
        foreach (array_filter([2 ** 32 + $fd, $fd - 2 ** 32, PHP_INT_MIN + $fd], 'is_int') as $number) {
            $given = $make($number);
            self::assertSame($number, $given->fd());
            foreach ($calls as $call => $work) {
                $thrown = self::thrownBy(static function () use ($work, $given): void {
                    $work($given);
                });
                self::assertSame(SOCKET_EBADF, $thrown->getCode(), $call);
                self::assertStringContainsString("descriptor $number", $thrown->getMessage(), $call);
            }
        }
        self::assertSame($before, $opened->options());

        // The number is what was wrong.
        Keepalive::enable($make($fd), 42, 7, 3);
        self::assertSame(42, $opened->options()['idle']);
    }

    public function testADescriptorOfAFileIsNoSocket(): void
    {
        $file = fopen(__FILE__, 'r');
        $fd = 0;
        foreach (scandir('/proc/self/fd') ?: [] as $number) {
            if (@readlink("/proc/self/fd/$number") === realpath(__FILE__)) {
                $fd = (int) $number;
            }
        }
        self::assertGreaterThan(2, $fd);

        $thrown = self::thrownBy(static function () use ($fd): void {
            Keepalive::enable($fd);
        });

        self::assertSame(SOCKET_ENOTSOCK, $thrown->getCode());
        fclose($file);
    }

    /** @return resource */
    public static function udpStream()
    {
        return stream_socket_client('udp://127.0.0.1:9');
    }
}
