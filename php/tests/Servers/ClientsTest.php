<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers;

use Keepalive\Keepalive;
use Keepalive\OpenSocket;
use Keepalive\Settings;
use Keepalive\Tests\Servers\Support\Clients;
use Keepalive\Tests\Servers\Support\Servers;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Kernel;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

/** The connections inside PHP's clients are found and set, and work afterwards. */
final class ClientsTest extends TestCase
{
    private static ?Servers $servers = null;

    public static function setUpBeforeClass(): void
    {
        self::$servers = new Servers('127.0.0.1');
    }

    public static function tearDownAfterClass(): void
    {
        self::$servers = null;
    }

    /** @return array<string, array{string}> */
    public static function clients(): array
    {
        $names = Clients::names();
        return array_combine($names, array_map(static fn (string $name) => [$name], $names));
    }

    /** @dataProvider clients */
    #[DataProvider('clients')]
    public function testIsFoundSetReadBackAndGoesOnWorking(string $client): void
    {
        $port = self::$servers->port(Clients::server($client));
        gc_collect_cycles(); // php-amqplib's connections refer to themselves
        self::assertSame([], self::connectionsTo($port), 'left by an earlier client');
        [$ask] = Clients::connect($client, '127.0.0.1', $port, self::$servers->authority());
        self::assertSame('42', $ask());

        $found = self::connectionsTo($port);
        self::assertCount(1, $found);
        self::assertSame('ESTABLISHED', $found[0]->state());

        self::assertSame(1, Keepalive::enableConnectionsTo("127.0.0.1:$port", Settings::of(47, 11, 5, 102000)));
        self::assertSame(
            ['on' => 1, 'idle' => 47, 'interval' => 11, 'count' => 5, 'userTimeoutMs' => 102000],
            Kernel::options($found[0]->fd())
        );
        self::assertEquals(Settings::of(47, 11, 5, 102000), Keepalive::settings($found[0]));
        $localPort = (int) substr(strrchr($found[0]->local(), ':'), 1);
        self::assertMatchesRegularExpression('/^keepalive,4[567]([.]\d+)?sec,0$/', Kernel::timer($localPort, (int) $port));

        self::assertSame('42', $ask());
        self::assertEquals($found, self::connectionsTo($port), 'still the same connection');
        self::assertSame(47, Kernel::options($found[0]->fd())['idle']);
    }

    public function testAConnectionThatTheClientOpensAgainHasNone(): void
    {
        $port = self::$servers->port('redis');
        $redis = new \Redis();
        $redis->connect('127.0.0.1', $port);
        $other = new \Redis();
        $other->connect('127.0.0.1', $port);
        Keepalive::enableConnectionsTo("127.0.0.1:$port");
        $other->rawCommand('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        // Redis answers before it closes the other connection.
        $isClosed = static fn (OpenSocket $socket) => $socket->state() === 'CLOSE_WAIT';
        for ($i = 0; $i < 1000 && array_filter(self::connectionsTo($port), $isClosed) === []; $i++) {
            usleep(10000);
        }

        self::assertTrue($redis->ping(), 'phpredis connects again and does not say so');
        $on = array_map(static fn (OpenSocket $socket) => Kernel::options($socket->fd())['on'], self::connectionsTo($port));
        sort($on);
        self::assertSame([0, 1], $on);
        self::assertSame(2, Keepalive::enableConnectionsTo("127.0.0.1:$port"));
    }

    /** A stream of which neither fstat() nor stream_socket_get_name() says anything. */
    public function testTheStreamOfPgSocket(): void
    {
        $port = self::$servers->port('postgresql');
        $connection = pg_connect("host=127.0.0.1 port=$port user=postgres", PGSQL_CONNECT_FORCE_NEW);
        $stream = pg_socket($connection);
        Keepalive::enable($stream, 47, 11, 5, 102000);
        self::assertSame(
            ['on' => 1, 'idle' => 47, 'interval' => 11, 'count' => 5, 'userTimeoutMs' => 102000],
            Kernel::options(Kernel::descriptorAt(null, "127.0.0.1:$port"))
        );
        self::assertSame('42', pg_fetch_result(pg_query($connection, 'SELECT 6 * 7'), 0, 0));
        $withoutFfi = Child::php(
            '$connection = pg_connect("host=127.0.0.1 port=' . $port . ' user=postgres");
            Keepalive\Keepalive::enable(pg_socket($connection), 48);
            echo Keepalive\Keepalive::backend(), " ", Keepalive\Keepalive::settings(pg_socket($connection))->idle(), " ";
            echo pg_fetch_result(pg_query($connection, "SELECT 6 * 7"), 0, 0);',
            ['-d', 'ffi.enable=0']
        );
        self::assertSame('sockets 48 42', $withoutFfi->cleanOutput());
    }

    /** The last test, because only the end of the process closes these connections. */
    public function testAPersistentConnectionKeepsWhatWasSet(): void
    {
        $port = self::$servers->port('mariadb');
        $pdo = static fn () => new \PDO("mysql:host=127.0.0.1;port=$port", 'root', '', [\PDO::ATTR_PERSISTENT => true]);
        $redis = static function (): \Redis {
            $redis = new \Redis();
            $redis->pconnect('127.0.0.1', self::$servers->port('redis'));
            return $redis;
        };
        foreach (['mariadb' => $pdo, 'redis' => $redis] as $server => $connect) {
            $port = self::$servers->port($server);
            $client = $connect();
            self::assertSame(1, Keepalive::enableConnectionsTo("127.0.0.1:$port", Settings::of(47, 11, 5)));
            $before = self::connectionsTo($port);
            unset($client);
            $client = $connect();
            self::assertEquals($before, self::connectionsTo($port));
            self::assertSame(47, Kernel::options($before[0]->fd())['idle']);
        }
    }

    /** @return OpenSocket[] */
    private static function connectionsTo(int $port): array
    {
        return array_values(array_filter(
            Keepalive::sockets(),
            static fn (OpenSocket $socket) => $socket->remote() === "127.0.0.1:$port"
        ));
    }
}
