<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Sockets;
use PHPUnit\Framework\Attributes\DataProvider;

/** Keepalive::connect() over TCP, and how it fails. */
final class ConnectTest extends KeepaliveTestCase
{
    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItConnectsWithKeepaliveOn(string $backend): void
    {
        self::useBackend($backend);
        foreach (['127.0.0.1', '[::1]', 'localhost'] as $host) {
            $listener = Sockets::listener($host);
            foreach (["tcp://$host", $host, "TCP://$host"] as $address) {
                $stream = Keepalive::connect("$address:" . Sockets::port($listener), Settings::of(42, 7, 3, 63000));
                self::assertSame(
                    ['on' => 1, 'idle' => 42, 'interval' => 7, 'count' => 3, 'userTimeoutMs' => 63000],
                    Kernel::options($stream)
                );
                self::assertTrue(stream_get_meta_data($stream)['blocked']);
                $accepted = stream_socket_accept($listener, 5);
                fwrite($accepted, "hello\n");
                self::assertSame("hello\n", fgets($stream));
            }
        }
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testWithoutSettingsTheyAreThoseOfEnable(string $backend): void
    {
        self::useBackend($backend);
        $listener = Sockets::listener('127.0.0.1');
        $stream = Keepalive::connect('tcp://127.0.0.1:' . Sockets::port($listener));
        self::assertSame(
            ['on' => 1, 'idle' => 60, 'interval' => 10, 'count' => 6, 'userTimeoutMs' => 0],
            Kernel::options($stream)
        );
    }

    public function testTheContextsSocketOptionsHold(): void
    {
        $free = Sockets::listener('127.0.0.2');
        $port = Sockets::port($free);
        fclose($free);
        $listener = Sockets::listener('127.0.0.1');
        $stream = Keepalive::connect(
            'tcp://127.0.0.1:' . Sockets::port($listener),
            null,
            null,
            stream_context_create(['socket' => ['bindto' => "127.0.0.2:$port"]])
        );
        self::assertSame("127.0.0.2:$port", stream_socket_get_name($stream, false));
    }

    /** @return array<string, array{string, string}> the server's host, and bindto */
    public static function placesToBindTo(): array
    {
        return [
            'any address' => ['127.0.0.1', '0:0'],
            'any IPv4 address' => ['127.0.0.1', '0.0.0.0:0'],
            'any IPv6 address' => ['[::1]', '[::]:0'],
            'one of the addresses' => ['127.0.0.1', '127.0.0.2:0'],
            'the IPv6 address' => ['[::1]', '[::1]:0'],
            'nothing' => ['127.0.0.1', ''],
        ];
    }

    /** @dataProvider placesToBindTo */
    #[DataProvider('placesToBindTo')]
    public function testItBindsToThePlaceOfTheContext(string $host, string $bindto): void
    {
        $listener = Sockets::listener($host);
        $context = stream_context_create(['socket' => ['bindto' => $bindto]]);
        $stream = Keepalive::connect("tcp://$host:" . Sockets::port($listener), null, null, $context);
        $local = preg_replace('/:\d+$/', '', (string) stream_socket_get_name($stream, false));
        self::assertSame($bindto === '127.0.0.2:0' ? '127.0.0.2' : $host, $local);
    }

    /** @return array<string, array{string}> */
    public static function placesThatPhpDoesNotBindTo(): array
    {
        return [
            'an address of another host' => ['192.0.2.1:0'],
            'no port' => ['127.0.0.2'],
            'another family' => ['[::1]:0'],
            'a name' => ['localhost:0'],
            'a port after the last' => ['127.0.0.2:70000'],
        ];
    }

    /** PHP itself connects, and from another address than the one asked for. @dataProvider placesThatPhpDoesNotBindTo */
    #[DataProvider('placesThatPhpDoesNotBindTo')]
    public function testWhereItCannotBindItDoesNotConnect(string $bindto): void
    {
        $listener = Sockets::listener('127.0.0.1');
        $address = 'tcp://127.0.0.1:' . Sockets::port($listener);
        $thrown = self::thrownBy(static function () use ($address, $bindto): void {
            $context = stream_context_create(['socket' => ['bindto' => $bindto]]);
            Keepalive::connect($address, null, null, $context);
        });
        self::assertInstanceOf(SocketException::class, $thrown);
        self::assertStringStartsWith(
            "Connecting to $address failed: PHP could not bind to \"$bindto\", which the context has as bindto, and took 127.0.0.",
            $thrown->getMessage()
        );
        self::assertSame('', fread(stream_socket_accept($listener, 5), 1), 'and closed it again');
    }

    /** Workers run out of them; PHP says "Unknown error", and of a name that nobody knows it. */
    public function testThatNoDescriptorIsFreeIsNamedAsAPossibleReason(): void
    {
        $output = Child::program('without-descriptors', [], [], Child::limitedTo(64))->cleanOutput();
        $lines = explode("\n", rtrim($output));
        self::assertSame(['Connecting to tcp://127.0.0.1:1 failed: Connection refused', 'no error'], array_slice($lines, 0, 2));
        self::assertStringContainsString('perhaps this process has no free descriptor', $lines[2]);
        self::assertStringContainsString('had no free descriptor', $lines[3]);
    }

    public function testARefusedConnectionSaysSoWithItsErrno(): void
    {
        $free = Sockets::listener('127.0.0.1');
        $port = Sockets::port($free);
        fclose($free);
        foreach (['tcp', 'tls'] as $scheme) {
            $thrown = self::thrownBy(static function () use ($scheme, $port): void {
                Keepalive::connect("$scheme://127.0.0.1:$port");
            });
            self::assertInstanceOf(SocketException::class, $thrown);
            self::assertSame(SOCKET_ECONNREFUSED, $thrown->getCode());
            self::assertSame(
                "Connecting to $scheme://127.0.0.1:$port failed: Connection refused",
                $thrown->getMessage()
            );
        }
    }

    public function testANameThatIsNoneSaysWhichAndWhy(): void
    {
        $thrown = self::thrownBy(static function (): void {
            Keepalive::connect('tcp://no-such-host.invalid:80', null, 2.0);
        });
        self::assertInstanceOf(SocketException::class, $thrown);
        self::assertMatchesRegularExpression(
            '#^Connecting to tcp://no-such-host\.invalid:80 failed: .*(getaddrinfo|resol)#',
            $thrown->getMessage()
        );
    }

    public function testAServerThatDoesNotAnswerIsGivenUpInTime(): void
    {
        $connecting = Sockets::connecting();
        $address = Kernel::remoteOf($connecting->socket);
        foreach ([0.3, null] as $timeout) {
            $before = ini_set('default_socket_timeout', '1');
            $start = microtime(true);
            try {
                $thrown = self::thrownBy(static function () use ($address, $timeout): void {
                    Keepalive::connect("tcp://$address", null, $timeout);
                });
            } finally {
                ini_set('default_socket_timeout', (string) $before);
            }
            $took = microtime(true) - $start;
            self::assertInstanceOf(SocketException::class, $thrown);
            self::assertSame(SOCKET_ETIMEDOUT, $thrown->getCode());
            self::assertSame("Connecting to tcp://$address failed: Connection timed out", $thrown->getMessage());
            self::assertGreaterThan(($timeout ?? 1) - 0.05, $took);
            self::assertLessThan(($timeout ?? 1) + 3, $took);
        }
    }

    /** @return array<string, array{string}> */
    public static function otherTransports(): array
    {
        return [
            'UDP' => ['udp://127.0.0.1:53'],
            'unix' => ['unix:///tmp/socket'],
            'HTTP' => ['http://127.0.0.1/'],
            'file' => ['file:///etc/passwd'],
            'none' => ['://127.0.0.1:80'],
            'SSL 2' => ['sslv2://127.0.0.1:80'],
        ];
    }

    /** @dataProvider otherTransports */
    #[DataProvider('otherTransports')]
    public function testOtherTransportsAreRefused(string $address): void
    {
        $thrown = self::thrownBy(static function () use ($address): void {
            Keepalive::connect($address);
        });
        self::assertInstanceOf(InvalidArgumentException::class, $thrown);
        self::assertStringEndsWith("; string '$address' was given.", $thrown->getMessage());
        self::assertStringContainsString('tcp://', $thrown->getMessage());
    }

    /** @return array<string, array{string}> */
    public static function otherForms(): array
    {
        return [
            'empty' => [''],
            'nothing after the scheme' => ['tcp://'],
            'no port' => ['tcp://127.0.0.1'],
            'no host' => ['tcp://:80'],
            'no number after the colon' => ['tcp://127.0.0.1:'],
            'a port that is not a number' => ['tcp://127.0.0.1:http'],
            'port 0' => ['tcp://127.0.0.1:0'],
            'the port after the last' => ['tcp://127.0.0.1:65536'],
            'an IPv6 address without brackets' => ['tcp://::1:80'],
            'an open bracket' => ['tcp://[::1:80'],
            'something between bracket and port' => ['tcp://[::1]x:80'],
            'a name in brackets' => ['tcp://[localhost]:80'],
            'an IPv4 address in brackets' => ['tcp://[127.0.0.1]:80'],
            'two ports' => ['tcp://127.0.0.1:80:81'],
            'a NUL' => ["tcp://127.0.0.1\0:80"],
            'a NUL at the end' => ["tcp://127.0.0.1:80\0"],
            'a space before the host' => ['tcp:// 127.0.0.1:80'],
            'a newline in the host' => ["tcp://127.0.0.1\n:80"],
            'a space in the scope' => ['tcp://[::1%l o]:80'],
            'two schemes' => ['tcp://tcp://127.0.0.1:80'],
        ];
    }

    /** @dataProvider otherForms */
    #[DataProvider('otherForms')]
    public function testAnAddressOfAnotherFormIsRefused(string $address): void
    {
        self::assertIsOfAnotherForm($address);
    }

    /** @return array<array{string, int}> the port, with # for the server's, and the number to add to that */
    public static function portsThatPhpReads(): array
    {
        return [
            [':#', 65536],
            [':#', -65536],
            [':#/', 65536],
            [':#x', 0],
            [':#x', 65536],
            [':# ', 0],
            [': #', 0],
            [':+#', 0],
            [":#\n", 0],
            [":#\0", 0],
            [':#/', 0],
            [':#/path', 0],
            [":#/a\nb", 65536],
            [':#?query', 0],
            [':#:80', 0],
            [':000000#', 0],
        ];
    }

    /** @dataProvider portsThatPhpReads */
    #[DataProvider('portsThatPhpReads')]
    public function testAPortThatNobodyNamedIsNotConnectedTo(string $form, int $more): void
    {
        foreach (['127.0.0.1', '[::1]'] as $host) {
            $listener = Sockets::listener($host);
            $port = str_replace('#', (string) (Sockets::port($listener) + $more), $form);
            foreach (["tcp://$host", "tls://$host", $host] as $start) {
                self::assertIsOfAnotherForm($start . $port);
            }
            self::assertNothingHasConnected($listener);
        }
    }

    /** @param resource $listener */
    private static function assertNothingHasConnected($listener): void
    {
        $read = [$listener];
        $none = null;
        self::assertSame(0, stream_select($read, $none, $none, 0, 50000), 'nothing has connected');
    }

    private static function assertIsOfAnotherForm(string $address): void
    {
        $thrown = self::thrownBy(static function () use ($address): void {
            Keepalive::connect($address, null, 1.0);
        });
        self::assertInstanceOf(InvalidArgumentException::class, $thrown, get_class($thrown) . ': ' . $thrown->getMessage());
        self::assertStringStartsWith('address must be "tcp://host:port" or ', $thrown->getMessage());
        self::assertStringEndsWith('; string ' . var_export($address, true) . ' was given.', $thrown->getMessage());
    }

    public function testATimeoutThatPhpCannotWaitForIsRefusedBeforeAnythingIsOpened(): void
    {
        $listener = Sockets::listener('127.0.0.1');
        $port = Sockets::port($listener);
        foreach ([0.0, -0.0, 0.0000001, 0.0009, -0.5, -1.0, NAN, -INF] as $timeout) {
            foreach (['tcp', 'tls'] as $scheme) {
                $thrown = self::thrownBy(static function () use ($scheme, $port, $timeout): void {
                    Keepalive::connect("$scheme://127.0.0.1:$port", null, $timeout);
                });
                self::assertInstanceOf(InvalidArgumentException::class, $thrown);
                self::assertSame(
                    'timeout must be at least 0.001 seconds, or null; float ' . var_export($timeout, true) . ' was given.',
                    $thrown->getMessage()
                );
            }
        }
        self::assertNothingHasConnected($listener);
    }

    /** @return array<string, array{string, string, int}> $timeout, ini, and the milliseconds that the kernel is told */
    public static function timeouts(): array
    {
        return [
            'some' => ['7.5', '60', 7500],
            'more than PHP can wait for' => ['2147483', '60', 2147482000],
            'null' => ['null', '7', 7000],
            'null, and no limit' => ['null', '-1', 2147482000],
        ];
    }

    /** @dataProvider timeouts */
    #[DataProvider('timeouts')]
    public function testTheKernelIsToldToWaitForSoLong(string $timeout, string $ini, int $expected): void
    {
        $trace = $this->folder() . '/trace';
        $strace = ['strace', '-qq', '-e', 'trace=connect,poll,ppoll', '-o', $trace];
        $child = Child::program('connect-to-silence', ['-d', "default_socket_timeout=$ini"], [], $strace, [$timeout]);
        self::assertSame('no handshake', $child->cleanOutput());

        $calls = (string) strstr((string) file_get_contents($trace), 'connect(');
        // PHP calls poll(); where the kernel has none, the C library makes it ppoll().
        preg_match_all('/poll\(.*?\], 1, (?:(-?\d+)|\{tv_sec=(\d+), tv_nsec=(\d+)\})/', $calls, $waits, PREG_SET_ORDER);
        $ms = array_map(static function (array $wait): int {
            return isset($wait[2]) ? 1000 * (int) $wait[2] + intdiv((int) $wait[3], 1000000) : (int) $wait[1];
        }, $waits);
        self::assertCount(2, $ms, "the connection and the handshake:\n$calls");
        self::assertSame($expected, $ms[0], $calls);
        self::assertLessThanOrEqual($expected, $ms[1], $calls);
        self::assertGreaterThan($expected - 5000, $ms[1], $calls);
    }

    public function testTheShortestTimeoutIsOne(): void
    {
        $free = Sockets::listener('127.0.0.1');
        $port = Sockets::port($free);
        fclose($free);
        $thrown = self::thrownBy(static function () use ($port): void {
            Keepalive::connect("tcp://127.0.0.1:$port", null, 0.001);
        });
        self::assertSame("Connecting to tcp://127.0.0.1:$port failed: Connection refused", $thrown->getMessage());
    }

    public function testAnIniTimeoutOfNothingIsRefused(): void
    {
        $listener = Sockets::listener('127.0.0.1');
        $before = ini_set('default_socket_timeout', '0');
        try {
            $thrown = self::thrownBy(static function () use ($listener): void {
                Keepalive::connect('tls://127.0.0.1:' . Sockets::port($listener));
            });
        } finally {
            ini_set('default_socket_timeout', (string) $before);
        }
        self::assertInstanceOf(InvalidArgumentException::class, $thrown);
        self::assertSame(
            'timeout must be at least 0.001 seconds, or null; null was given, and ini default_socket_timeout is 0.',
            $thrown->getMessage()
        );
        self::assertNothingHasConnected($listener);
    }

    public function testAContextThatIsNoneIsRefused(): void
    {
        $listener = Sockets::listener('127.0.0.1');
        foreach ([[], 'context', 3] as $context) {
            $thrown = self::thrownBy(static function () use ($listener, $context): void {
                Keepalive::connect('tcp://127.0.0.1:' . Sockets::port($listener), null, null, $context);
            });
            self::assertSame(\TypeError::class, get_class($thrown), "PHP's own");
        }
        self::assertNothingHasConnected($listener);
    }
}
