<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\UnavailableException;
use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Status;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Sockets;
use PHPUnit\Framework\Attributes\DataProvider;

/** Keepalive on every kind of TCP socket, as the kernel sees it. */
final class EnableTest extends KeepaliveTestCase
{
    private const OFF_WITH_42 = ['on' => 0, 'idle' => 42, 'interval' => 7, 'count' => 3, 'userTimeoutMs' => 63000];

    /** @return array<string, array{string, string}> */
    public static function everyReachableKind(): array
    {
        $rows = [];
        foreach (Sockets::plainStreams() + Sockets::sockets() as $kind => $open) {
            $rows["$kind, FFI"] = ['ffi', $kind];
            $rows["$kind, without FFI"] = ['sockets', $kind];
        }
        foreach (Sockets::wrappedStreams() + Sockets::descriptors() as $kind => $open) {
            $rows["$kind, FFI"] = ['ffi', $kind];
        }
        return $rows;
    }

    /** @return array<string, array{string}> */
    public static function whatOnlyFfiReaches(): array
    {
        $rows = [];
        foreach (array_keys(Sockets::wrappedStreams() + Sockets::descriptors()) as $kind) {
            $rows[$kind] = [$kind];
        }
        return $rows;
    }

    /** @dataProvider everyReachableKind */
    #[DataProvider('everyReachableKind')]
    public function testTheKernelHasTheValues(string $backend, string $kind): void
    {
        self::useBackend($backend);
        $opened = Sockets::kind($kind)();
        self::assertSame(0, $opened->options()['on'], 'off before');

        Keepalive::enable($opened->socket, 42, 7, 3, 63000);

        self::assertSame(['on' => 1] + self::OFF_WITH_42, $opened->options());
    }

    /** @dataProvider everyReachableKind */
    #[DataProvider('everyReachableKind')]
    public function testSettingsAreReadBack(string $backend, string $kind): void
    {
        self::useBackend($backend);
        $opened = Sockets::kind($kind)();
        $defaults = Kernel::defaults();

        $before = Keepalive::settings($opened->socket);
        self::assertFalse($before->enabled());
        self::assertSame(
            array_values($defaults),
            [$before->idle(), $before->interval(), $before->count()]
        );
        self::assertSame(0, $before->userTimeoutMs());

        Keepalive::apply($opened->socket, Settings::of(42, 7, 3, 63000));
        self::assertEquals(Settings::of(42, 7, 3, 63000), Keepalive::settings($opened->socket));
    }

    /** @dataProvider everyReachableKind */
    #[DataProvider('everyReachableKind')]
    public function testDisableLeavesTheOtherValues(string $backend, string $kind): void
    {
        self::useBackend($backend);
        $opened = Sockets::kind($kind)();
        Keepalive::enable($opened->socket, 42, 7, 3, 63000);

        Keepalive::disable($opened->socket);

        self::assertSame(self::OFF_WITH_42, $opened->options());
        self::assertFalse(Keepalive::settings($opened->socket)->enabled());
    }

    /** @dataProvider everyReachableKind */
    #[DataProvider('everyReachableKind')]
    public function testUnchangedLeavesWhatTheSocketHas(string $backend, string $kind): void
    {
        self::useBackend($backend);
        $opened = Sockets::kind($kind)();
        Keepalive::enable($opened->socket, 42, 7, 3, 63000);
        Keepalive::disable($opened->socket);

        $unchanged = Keepalive::UNCHANGED;
        Keepalive::enable($opened->socket, $unchanged, $unchanged, $unchanged);

        self::assertSame(['on' => 1] + self::OFF_WITH_42, $opened->options());
    }

    /** @dataProvider everyReachableKind */
    #[DataProvider('everyReachableKind')]
    public function testSystemDefaultPutsTheSystemsValuesBack(string $backend, string $kind): void
    {
        self::useBackend($backend);
        $opened = Sockets::kind($kind)();
        Keepalive::enable($opened->socket, 42, 7, 3, 63000);

        $default = Keepalive::SYSTEM_DEFAULT;
        Keepalive::enable($opened->socket, $default, $default, $default, 0);

        self::assertSame(['on' => 1] + Kernel::defaults() + ['userTimeoutMs' => 0], $opened->options());
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testTheDefaultValuesAre60And10And6AndNoUserTimeout(string $backend): void
    {
        self::useBackend($backend);
        $opened = Sockets::pair('127.0.0.1');

        Keepalive::enable($opened->socket);

        self::assertSame(
            ['on' => 1, 'idle' => 60, 'interval' => 10, 'count' => 6, 'userTimeoutMs' => 0],
            $opened->options()
        );
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testTheKernelsTimerRuns(string $backend): void
    {
        self::useBackend($backend);
        $opened = Sockets::pair('127.0.0.1');
        $ports = [Sockets::port($opened->socket), Sockets::port($opened->peer)];
        self::assertSame('', Kernel::timer(...$ports), 'no timer before');

        Keepalive::enable($opened->socket, 3000, 10, 6);
        self::assertMatchesRegularExpression('/^keepalive,(50min|49min(59sec)?),0$/', Kernel::timer(...$ports));

        Keepalive::disable($opened->socket);
        self::assertSame('', Kernel::timer(...$ports), 'no timer after disable()');
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAcceptedConnectionsInheritFromTheListener(string $backend): void
    {
        self::useBackend($backend);
        foreach (['127.0.0.1', '[::1]'] as $host) {
            $listener = Sockets::listener($host);
            Keepalive::enable($listener, 42, 7, 3, 63000);
            $client = stream_socket_client("tcp://$host:" . Sockets::port($listener));
            $accepted = stream_socket_accept($listener, 5);

            self::assertSame(['on' => 1] + self::OFF_WITH_42, Kernel::options($accepted), $host);
            self::assertSame(0, Kernel::options($client)['on'], 'the other end is as it was');
        }
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAcceptedSocketsInheritFromTheListeningSocket(string $backend): void
    {
        self::useBackend($backend);
        $listener = Sockets::kind('listening Socket')()->socket;
        Keepalive::enable($listener, 42, 7, 3, 63000);
        socket_getsockname($listener, $host, $port);
        $client = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        socket_connect($client, $host, $port);

        self::assertSame(['on' => 1] + self::OFF_WITH_42, Kernel::options(socket_accept($listener)));
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testDefaultsAreTheSystems(string $backend): void
    {
        self::useBackend($backend);
        $defaults = Keepalive::defaults();

        self::assertFalse($defaults->enabled());
        self::assertSame(
            array_values(Kernel::defaults()),
            [$defaults->idle(), $defaults->interval(), $defaults->count()]
        );
        self::assertSame(0, $defaults->userTimeoutMs());
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testWhatWasThereBeforeCanBePutBack(string $backend): void
    {
        self::useBackend($backend);
        $opened = Sockets::pair('127.0.0.1');
        $fresh = $opened->options();
        $before = Keepalive::settings($opened->socket);

        Keepalive::apply($opened->socket, Settings::detectWithin(30));
        $between = Keepalive::settings($opened->socket);
        self::assertTrue($between->enabled());

        Keepalive::apply($opened->socket, $before);
        self::assertSame($fresh, $opened->options());

        Keepalive::apply($opened->socket, $between);
        self::assertEquals(Settings::detectWithin(30), Keepalive::settings($opened->socket));
    }

    /** @return array<string, array{string}> */
    public static function everyKind(): array
    {
        $rows = [];
        $kinds = Sockets::plainStreams() + Sockets::sockets() + Sockets::wrappedStreams() + Sockets::descriptors();
        foreach (array_keys($kinds) as $kind) {
            $rows[$kind] = [$kind];
        }
        return $rows;
    }

    /** @dataProvider everyKind */
    #[DataProvider('everyKind')]
    public function testTheStatusIsTheKernels(string $kind): void
    {
        $opened = Sockets::kind($kind)();
        self::assertSame(Status::STATES[Kernel::tcpState($opened->witness)], Keepalive::status($opened->socket)->state());
    }

    public function testAskingForTheStatusLeavesASocketWorking(): void
    {
        $opened = Sockets::kind('Socket of socket_create')();

        self::assertTrue(Keepalive::status($opened->socket)->isEstablished());
        self::assertTrue(Keepalive::status($opened->socket)->isEstablished(), 'again');

        socket_write($opened->socket, "to\n");
        self::assertSame("to\n", socket_read($opened->peer, 10));
        socket_write($opened->peer, "fro\n");
        self::assertSame("fro\n", socket_read($opened->socket, 10));
        socket_close($opened->socket);
        self::assertSame('', socket_read($opened->peer, 10), 'closed, and held open by nothing');
    }

    /** @dataProvider whatOnlyFfiReaches */
    #[DataProvider('whatOnlyFfiReaches')]
    public function testWithoutFfiItSaysThatThisNeedsFfiAndWhatToTurnOn(string $kind): void
    {
        self::useBackend('ffi');
        $opened = Sockets::kind($kind)();
        $before = $opened->options();
        self::useBackend('sockets');

        $thrown = self::thrownBy(static function () use ($opened): void {
            Keepalive::enable($opened->socket);
        });

        self::assertInstanceOf(UnavailableException::class, $thrown);
        self::assertStringContainsString('needs FFI and the shared library. FFI is off in this test.', $thrown->getMessage());
        self::assertSame($before, $opened->options());
    }
}
