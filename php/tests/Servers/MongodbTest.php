<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers;

use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Process;
use MongoDB\Driver\Command;
use MongoDB\Driver\Manager;
use MongoDB\Driver\ReadPreference;
use PHPUnit\Framework\TestCase;

/** The real driver, with a stand-in for the server: a replica set has other names than the connection string. */
final class MongodbTest extends TestCase
{
    public function testEveryMemberIsFoundByThePort(): void
    {
        $server = new Process([PHP_BINARY, __DIR__ . '/Support/mongodb-stand-in.php']);
        $port = (int) $server->line();
        $manager = new Manager("mongodb://127.0.0.1:$port/?replicaSet=set&serverSelectionTimeoutMS=5000");
        $ask = static function (string $preference) use ($manager): int {
            $command = new Command(['ping' => 1]);
            return $manager->executeCommand('admin', $command, new ReadPreference($preference))->toArray()[0]->answer;
        };
        self::assertSame(42, $ask(ReadPreference::PRIMARY));
        self::assertSame(42, $ask(ReadPreference::SECONDARY));

        self::assertSame(0, Keepalive::enableConnectionsTo("127.0.0.1:$port"), 'what the connection string says');
        self::assertSame(2, Keepalive::enableConnectionsTo("*:$port", Settings::of(47, 11, 5)));
        self::assertSame(2, Keepalive::enableConnectionsTo("127.0.0.0/8:$port", Settings::of(47, 11, 5)));
        $remotes = [];
        foreach (Keepalive::sockets() as $socket) {
            if (substr($socket->remote(), -strlen(":$port")) === ":$port") {
                $remotes[] = $socket->remote();
                self::assertSame(47, Kernel::options($socket->fd())['idle']);
            }
        }
        sort($remotes);
        self::assertSame(["127.0.0.2:$port", "127.0.0.3:$port"], $remotes);
        self::assertSame(42, $ask(ReadPreference::PRIMARY));
    }
}
