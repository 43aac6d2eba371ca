<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers;

use Keepalive\Keepalive;
use Keepalive\OpenSocket;
use Keepalive\Settings;
use Keepalive\Tests\Servers\Support\Servers;
use PHPUnit\Framework\TestCase;

/**
 * What docs/troubleshooting.md says of timers that count requests: probes are answered, and the connection is
 * closed nevertheless.
 */
final class ServerTimersTest extends TestCase
{
    private const PATIENCE_SECONDS = 15;

    private static ?Servers $servers = null;

    public static function setUpBeforeClass(): void
    {
        self::$servers = new Servers('127.0.0.1', [], ['mariadb', 'redis', 'haproxy', 'nginxstream']);
    }

    public static function tearDownAfterClass(): void
    {
        self::$servers = null;
    }

    public function testMariadb(): void
    {
        $port = self::$servers->port('mariadb');
        $pdo = new \PDO("mysql:host=127.0.0.1;port=$port", 'root', '', [\PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION]);
        $pdo->exec('SET wait_timeout = 3');
        self::assertClosedAlthoughProbesAreAnswered($port, 'CLOSE'); // MariaDB resets it
        $this->expectException(\PDOException::class);
        $this->expectExceptionMessage('MySQL server has gone away');
        @$pdo->query('SELECT 1');
    }

    public function testRedis(): void
    {
        $port = self::$servers->port('redis');
        $redis = new \Redis();
        $redis->connect('127.0.0.1', $port);
        $redis->config('SET', 'timeout', '3');
        try {
            self::assertClosedAlthoughProbesAreAnswered($port);
        } finally {
            $other = new \Redis();
            $other->connect('127.0.0.1', $port);
            $other->config('SET', 'timeout', '0');
        }
    }

    public function testHaproxy(): void
    {
        $redis = new \Redis();
        $redis->connect('127.0.0.1', self::$servers->port('haproxy'));
        self::assertTrue($redis->ping());
        self::assertClosedAlthoughProbesAreAnswered(self::$servers->port('haproxy'));
    }

    public function testNginxStream(): void
    {
        $redis = new \Redis();
        $redis->connect('127.0.0.1', self::$servers->port('nginxstream'));
        self::assertTrue($redis->ping());
        self::assertClosedAlthoughProbesAreAnswered(self::$servers->port('nginxstream'));
    }

    private static function assertClosedAlthoughProbesAreAnswered(int $port, string $state = 'CLOSE_WAIT'): void
    {
        self::assertSame(1, Keepalive::enableConnectionsTo("127.0.0.1:$port", Settings::of(1, 1, 20)));
        $isAnswered = false;
        $deadline = microtime(true) + self::PATIENCE_SECONDS;
        $connection = self::connectionTo($port);
        do {
            $status = Keepalive::status($connection);
            // An answer came, more than a second after the program has last sent something.
            $isAnswered = $isAnswered || ($status->isEstablished() && $status->lastSentMs() > 1500
                && $status->lastReceivedMs() < 1000);
            self::assertLessThan($deadline, microtime(true), "the connection stays {$status->state()}");
            usleep(50000);
        } while ($status->isEstablished());
        self::assertTrue($isAnswered, 'no probe was answered');
        self::assertSame($state, $status->state());
    }

    private static function connectionTo(int $port): OpenSocket
    {
        foreach (Keepalive::sockets() as $socket) {
            if ($socket->remote() === "127.0.0.1:$port") {
                return $socket;
            }
        }
        throw new \LogicException("There is no connection to port $port.");
    }
}
