<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\SocketException;
use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use PHPUnit\Framework\Attributes\DataProvider;

/** Linux's MPTCP sockets accept all values except a user timeout. */
final class MptcpTest extends KeepaliveTestCase
{
    private const IPPROTO_MPTCP = 262;

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAUserTimeoutIsRefusedWithWhatWorksInstead(string $backend): void
    {
        self::useBackend($backend);
        $socket = socket_create(AF_INET, SOCK_STREAM, self::IPPROTO_MPTCP);
        $before = Kernel::options($socket);
        $thrown = self::thrownBy(static function () use ($socket): void {
            Keepalive::apply($socket, Settings::detectWithin(30));
        });
        self::assertInstanceOf(SocketException::class, $thrown);
        self::assertSame(SOCKET_ENOPROTOOPT, $thrown->getCode());
        self::assertMatchesRegularExpression(
            '/^Setting TCP_USER_TIMEOUT=13000.* failed on a Socket: ENOPROTOOPT: this socket has no user timeout: MPTCP has '
            . 'none on Linux.*: Keepalive::enable\(\$socket, \$idle, \$interval, \$count\)\.$/',
            $thrown->getMessage()
        );
        self::assertSame($before, Kernel::options($socket));

        $settings = Settings::detectWithin(30);
        Keepalive::enable($socket, $settings->idle(), $settings->interval(), $settings->count());
        self::assertSame(
            ['on' => 1, 'idle' => 3, 'interval' => 2, 'count' => 5, 'userTimeoutMs' => null],
            Kernel::options($socket)
        );
    }

    public function testByItsDescriptorToo(): void
    {
        $listener = socket_create(AF_INET, SOCK_STREAM, self::IPPROTO_MPTCP);
        socket_bind($listener, '127.0.0.1');
        socket_listen($listener);
        socket_getsockname($listener, $host, $port);
        $client = socket_create(AF_INET, SOCK_STREAM, self::IPPROTO_MPTCP);
        socket_connect($client, $host, $port);
        $thrown = self::thrownBy(static function () use ($port): void {
            Keepalive::enableConnectionsTo("127.0.0.1:$port", Settings::detectWithin(30));
        });
        self::assertStringContainsString('this socket has no user timeout', $thrown->getMessage());
        self::assertSame(0, Kernel::options($client)['on']);
        self::assertSame(1, Keepalive::enableConnectionsTo("127.0.0.1:$port", Settings::of(3, 2, 5)));
        self::assertSame(3, Kernel::options($client)['idle']);
    }
}
