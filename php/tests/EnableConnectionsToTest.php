<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\SocketException;
use Keepalive\Exception\UnavailableException;
use Keepalive\Internal\Backend;
use Keepalive\Internal\FfiBackend;
use Keepalive\Keepalive;
use Keepalive\OpenSocket;
use Keepalive\Settings;
use Keepalive\Status;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Opened;
use Keepalive\Tests\Support\Sockets;
use PHPUnit\Framework\Attributes\DataProvider;

/** Keepalive::enableConnectionsTo(): which connections it finds, and which it leaves alone. */
final class EnableConnectionsToTest extends KeepaliveTestCase
{
    /** A label has at most 63 characters, so no name server is asked for this one. */
    private const UNKNOWN = 'a-name-that-is-too-long-for-any-name-server-so-that-nobody-is-asked.example';

    public function testSetsEveryConnectionToTheAddressAndNothingElse(): void
    {
        $listener = Sockets::listener('127.0.0.1');
        $port = Sockets::port($listener);
        $wanted = $accepted = [];
        for ($i = 0; $i < 2; $i++) {
            $wanted[] = stream_socket_client("tcp://127.0.0.1:$port");
            $accepted[] = stream_socket_accept($listener);
        }
        $elsewhere = Sockets::pair('127.0.0.1')->socket;

        self::assertSame(2, Keepalive::enableConnectionsTo("127.0.0.1:$port", Settings::of(21, 3, 4, 30000)));
        foreach ($wanted as $stream) {
            self::assertSame(
                ['on' => 1, 'idle' => 21, 'interval' => 3, 'count' => 4, 'userTimeoutMs' => 30000],
                Kernel::options($stream)
            );
        }
        foreach (array_merge($accepted, [$listener, $elsewhere]) as $stream) {
            self::assertSame(0, Kernel::options($stream)['on']);
        }
    }

    public function testWithoutSettingsTheValuesAreThoseOfEnable(): void
    {
        $pair = Sockets::pair('127.0.0.1');
        self::assertSame(1, Keepalive::enableConnectionsTo('127.0.0.1:' . self::portOf($pair)));
        self::assertSame(
            ['on' => 1, 'idle' => 60, 'interval' => 10, 'count' => 6, 'userTimeoutMs' => 0],
            $pair->options()
        );
    }

    /** @dataProvider waysToWriteAnAddress */
    #[DataProvider('waysToWriteAnAddress')]
    public function testEveryWayToWriteTheAddress(string $listen, string $host, int $expected): void
    {
        $pair = Sockets::pair($listen);
        self::assertSame($expected, Keepalive::enableConnectionsTo("$host:" . self::portOf($pair)));
    }

    /** @return array<array{string, string, int}> */
    public static function waysToWriteAnAddress(): array
    {
        return [
            ['127.0.0.1', '127.0.0.1', 1],
            ['127.0.0.1', '[::ffff:127.0.0.1]', 1],
            ['127.0.0.1', '[::FFFF:7f00:1]', 1],
            ['127.0.0.1', '127.1', 1],
            ['127.0.0.1', '*', 1],
            ['127.0.0.1', '127.0.0.0/8', 1],
            ['127.0.0.1', 'tcp://127.0.0.1', 1],
            ['127.0.0.1', 'tls://localhost', 1],
            ['127.0.0.1', '127.0.0.2', 0],
            ['127.0.0.1', '[::1]', 0],
            ['[::1]', '[::1]', 1],
            ['[::1]', '[0:0:0:0:0:0:0:1]', 1],
            ['[::1]', '[::1%lo]', 1],
            ['[::1]', '[::/64]', 1],
            ['[::1]', '*', 1],
            ['[::1]', '127.0.0.1', 0],
        ];
    }

    /** A client that is told to connect to "any address" is connected to the loopback. */
    public function testTheAddressThatMeansAny(): void
    {
        foreach (['0.0.0.0', '[::]'] as $any) {
            $listener = Sockets::listener($any);
            $address = "$any:" . Sockets::port($listener);
            $stream = stream_socket_client("tcp://$address");
            self::assertSame(1, Keepalive::enableConnectionsTo($address));
            self::assertSame(1, Kernel::options($stream)['on']);
        }
    }

    public function testAConnectionOfAnIpv6SocketToAnIpv4Address(): void
    {
        $port = Sockets::port($listener = Sockets::listener('127.0.0.1'));
        $stream = stream_socket_client("tcp://[::ffff:127.0.0.1]:$port");
        self::assertSame("[::ffff:127.0.0.1]:$port", stream_socket_get_name($stream, true));
        self::assertSame(1, Keepalive::enableConnectionsTo("127.0.0.1:$port"));
    }

    public function testANameStandsForAllAddressesThatTheHostsFileHasForIt(): void
    {
        $hosts = $this->folder() . '/hosts';
        file_put_contents($hosts, "127.0.0.1 db.example\n127.0.0.2 db.example\n::1 db.example\n127.0.0.3 other.example\n");
        $withHosts = ['unshare', '--map-root-user', '--mount', 'sh', '-c', 'mount --bind "$1" /etc/hosts; shift; exec "$@"'];
        $output = Child::program('connections-by-name', [], [], array_merge($withHosts, ['sh', $hosts]))->cleanOutput();
        self::assertSame('4 4 1', $output);
    }

    public function testOneThatIsStillConnectingIsSet(): void
    {
        $connecting = Sockets::connecting();
        $fd = Kernel::descriptor($connecting->socket);
        foreach (Keepalive::sockets() as $socket) {
            if ($socket->fd() === $fd) {
                self::assertSame('SYN_SENT', $socket->state());
                self::assertGreaterThanOrEqual(1, Keepalive::enableConnectionsTo($socket->remote()));
            }
        }
        self::assertSame(2, Kernel::tcpState($fd), 'still connecting');
        self::assertSame(1, $connecting->options()['on']);
    }

    public function testOneThatThePeerHasClosedIsLeftAlone(): void
    {
        $pair = Sockets::pair('127.0.0.1');
        $port = self::portOf($pair);
        fclose($pair->peer);
        self::assertSame(8, Kernel::tcpState($pair->socket), 'CLOSE_WAIT');
        self::assertSame(0, Keepalive::enableConnectionsTo("127.0.0.1:$port"));
        self::assertSame(0, $pair->options()['on']);
    }

    public function testEveryPortOfAHost(): void
    {
        $other = Sockets::pair('127.0.0.1');
        $pair = Sockets::pair('127.0.0.5');
        foreach (['127.0.0.5', '127.0.0.5:*', '127.0.0.4/31', '127.0.0.4/31:*', 'tcp://127.0.0.5:*'] as $address) {
            Keepalive::disable($pair->socket);
            self::assertSame(1, Keepalive::enableConnectionsTo($address), $address);
            self::assertSame(1, $pair->options()['on'], $address);
            self::assertSame(0, $other->options()['on']);
        }
        self::assertGreaterThanOrEqual(2, Keepalive::enableConnectionsTo('*:*'));
        self::assertSame(1, $other->options()['on']);
    }

    /** If the idle time of a connection is written while it is probed, the kernel sends one more probe, which counts. */
    public function testAConnectionThatHasTheseValuesIsNotWrittenTo(): void
    {
        $strace = ['strace', '-qq', '-e', 'trace=setsockopt,write', '-o', $this->folder() . '/trace'];
        $output = Child::program('connections-set-again', [], [], $strace);
        self::assertSame('1111111111', $output->output, $output->errors);
        $counts = ['four' => 4, 'none' => 0, 'five' => 5];
        foreach (array_slice(explode('write(2, "== ', (string) file_get_contents($this->folder() . '/trace')), 1) as $turn) {
            preg_match('/^\w+/', $turn, $word);
            self::assertSame($counts[$word[0]], substr_count($turn, 'setsockopt('), $turn);
        }
    }

    public function testARefusalOfOneLeavesTheOthersSet(): void
    {
        $pair = Sockets::pair('127.0.0.1');
        $port = self::portOf($pair);
        $vanished = self::vanished($port);
        self::setBackend($this->listing([[$vanished], [$vanished]]));
        $thrown = self::thrownBy(static function () use ($port): void {
            Keepalive::enableConnectionsTo("127.0.0.1:$port");
        });
        self::assertSame(9, $thrown->getCode());
        self::assertSame(1, $pair->options()['on']);
    }

    public function testSocketsThatVanishBetweenListAndSetAreNoError(): void
    {
        $pair = Sockets::pair('127.0.0.1');
        $port = self::portOf($pair);
        self::setBackend($this->listing([[self::vanished($port)], []]));
        self::assertSame(1, Keepalive::enableConnectionsTo("127.0.0.1:$port"));
        self::assertSame(1, $pair->options()['on']);
    }

    public function testARefusalByASocketThatIsStillThereIsAnError(): void
    {
        self::setBackend($this->listing([[self::vanished(5432)], [self::vanished(5432)]]));
        $this->expectException(SocketException::class);
        $this->expectExceptionCode(9);
        Keepalive::enableConnectionsTo('127.0.0.1:5432');
    }

    public function testAnAddressOfAnotherFormIsRefused(): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage('address must be "host:port"');
        Keepalive::enableConnectionsTo('https://db.example:5432/');
    }

    /** A worker whose connections are healthy must not wait for a name server that does not answer. */
    public function testNothingButAHostNameIsLookedUp(): void
    {
        $trace = $this->folder() . '/trace';
        $output = Child::php(
            'foreach (["*:1", "*", "10.0.0.0/8:1", "[2001:db8::1]:1", "tcp://127.0.0.1:*", "localhost:1"] as $address) {
                fwrite(STDERR, "== $address\n");
                echo Keepalive\Keepalive::enableConnectionsTo($address);
            }',
            [],
            [],
            null,
            ['strace', '-qq', '-f', '-e', 'trace=openat,connect,write', '-o', $trace]
        );
        self::assertSame('000000', $output->output, $output->errors);
        $turns = array_slice(explode('write(2, "== ', (string) file_get_contents($trace)), 1);
        self::assertCount(6, $turns);
        foreach ($turns as $turn) {
            $looksUp = preg_match('~/etc/(hosts|resolv\.conf|nsswitch\.conf)|connect\(~', $turn) === 1;
            self::assertSame(strpos($turn, 'localhost') === 0, $looksUp, $turn);
        }
    }

    /** A page without FFI must not wait for a name server, on each request, for nothing. */
    public function testWithoutFfiNoNameIsLookedUp(): void
    {
        self::useBackend('sockets');
        $this->expectException(UnavailableException::class);
        $this->expectExceptionMessage('Keepalive::sockets() needs FFI');
        Keepalive::enableConnectionsTo(self::UNKNOWN . ':5432'); // a look-up would say that it is unknown
    }

    public function testANameWithoutAnAddressIsAnError(): void
    {
        $this->expectException(SocketException::class);
        $this->expectExceptionMessage('"' . self::UNKNOWN . '"');
        Keepalive::enableConnectionsTo(self::UNKNOWN . ':5432');
    }

    public function testNothingReachesAnErrorHandler(): void
    {
        $warnings = [];
        set_error_handler(static function (int $level, string $message) use (&$warnings): bool {
            $warnings[] = $message;
            return true;
        });
        try {
            $pair = Sockets::pair('127.0.0.1');
            self::assertSame(1, Keepalive::enableConnectionsTo('localhost:' . self::portOf($pair)));
            foreach ([self::UNKNOWN . ':5432', '[nonsense::]:5432', '127.1:5432:'] as $wrong) {
                self::thrownBy(static function () use ($wrong): void {
                    Keepalive::enableConnectionsTo($wrong);
                });
            }
        } finally {
            restore_error_handler();
        }
        self::assertSame([], $warnings);
    }

    public function testWithoutExtSocketsOnlyNamesAreOutOfReach(): void
    {
        $output = Child::program('connections-without-look-up', ['-n', '-d', 'extension=ffi'])->cleanOutput();
        self::assertStringStartsWith("1\n1\nTo look up the host name \"localhost\", the sockets extension", $output);
    }

    public function testWithoutFfiItSaysWhatToTurnOn(): void
    {
        self::useBackend('sockets');
        $this->expectException(UnavailableException::class);
        $this->expectExceptionMessage('Keepalive::sockets() needs FFI');
        Keepalive::enableConnectionsTo('127.0.0.1:5432');
    }

    /** A descriptor that is not open. */
    private static function vanished(int $port): OpenSocket
    {
        return new OpenSocket(0x7FFFFFF0, 1, '127.0.0.1:40000', "127.0.0.1:$port");
    }

    /**
     * The real backend, whose lists have these sockets too: the first list the first ones, and so on.
     *
     * @param OpenSocket[][] $more
     */
    private function listing(array $more): Backend
    {
        return new class (new FfiBackend(), $more) implements Backend {
            private Backend $real;
            /** @var OpenSocket[][] */
            private array $more;

            /** @param OpenSocket[][] $more */
            public function __construct(Backend $real, array $more)
            {
                $this->real = $real;
                $this->more = $more;
            }

            public function set($socket, int $idle, int $interval, int $count): void
            {
                $this->real->set($socket, $idle, $interval, $count);
            }

            public function apply($socket, Settings $settings): void
            {
                $this->real->apply($socket, $settings);
            }

            public function settings($socket): Settings
            {
                return $this->real->settings($socket);
            }

            public function defaults(): Settings
            {
                return $this->real->defaults();
            }

            public function status($socket): Status
            {
                return $this->real->status($socket);
            }

            public function sockets(): array
            {
                return array_merge(array_shift($this->more) ?? [], $this->real->sockets());
            }
        };
    }

    private static function portOf(Opened $pair): int
    {
        return Sockets::port($pair->peer);
    }
}
