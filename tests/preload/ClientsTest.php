<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Servers\Support\Servers;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** Unchanged programs: their connections have the settings, also those that they open again. */
final class ClientsTest extends TestCase
{
    private const SETTINGS = ['LIBKEEPALIVE' => '47,11,5,102000'];
    private const OPTIONS = ['on' => 1, 'idle' => 47, 'interval' => 11, 'count' => 5, 'userTimeoutMs' => 102000];

    /** PHP's clients, and the server of each. */
    private const PHP = [
        'PDO MySQL' => 'mariadb',
        'mysqli' => 'mariadb',
        'pgsql' => 'postgresql',
        'phpredis' => 'redis',
        'curl' => 'https',
        'SoapClient' => 'https',
        'php-amqplib' => 'rabbitmq-tls',
    ];

    /**
     * Other programs: the server, the command, and what the program sets itself, which wins. HOST, PORT and
     * HERE (this folder) are filled in.
     */
    private const OTHERS = [
        'psql' => ['postgresql', 'psql -h HOST -p PORT -U postgres'],
        'mariadb' => ['mariadb', 'mariadb --no-defaults -h HOST -P PORT -u root'],
        'redis-cli' => ['redis', 'redis-cli -h HOST -p PORT', ['idle' => 15, 'interval' => 5, 'count' => 3]],
        'curl' => ['https', 'curl -sk https://HOST:PORT/wait', ['idle' => 60, 'interval' => 60]],
        'curl, told to leave it' => ['https', 'curl -sk --no-keepalive https://HOST:PORT/wait'],
        'openssl' => ['https', 'openssl s_client -connect HOST:PORT'],
        'nc' => ['redis', 'nc HOST PORT'],
        'python' => ['redis', '/usr/bin/python3 HERE/programs/connect.py HOST PORT'],
        'asyncio' => ['redis', '/usr/bin/python3 HERE/programs/connect-asyncio.py HOST PORT'],
        'node' => ['redis', 'node HERE/programs/connect.js HOST PORT'],
        'java' => ['redis', 'java HERE/programs/Connect.java HOST PORT'],
    ];

    private static ?Servers $servers = null;

    public static function setUpBeforeClass(): void
    {
        $names = ['mariadb', 'postgresql', 'redis', 'rabbitmq-tls', 'https'];
        self::$servers = new Servers('127.0.0.1', [], $names);
    }

    public static function tearDownAfterClass(): void
    {
        self::$servers = null;
    }

    /** @return array<string, array{string}> */
    public static function php(): array
    {
        return self::rows(self::PHP);
    }

    /** @return array<string, array{string}> */
    public static function others(): array
    {
        return self::rows(self::OTHERS);
    }

    private static function rows(array $cases): array
    {
        $names = array_keys($cases);
        return array_combine($names, array_map(static fn (string $name) => [$name], $names));
    }

    /** @dataProvider php */
    #[DataProvider('php')]
    public function testAPhpClientAndWhatItOpensAgain(string $client): void
    {
        $port = self::$servers->port(self::PHP[$client]);
        $script = __DIR__ . '/programs/php-client.php';
        $command = [PHP_BINARY, $script, $client, '127.0.0.1', (string) $port, self::$servers->authority()];
        $program = new Program($command, self::SETTINGS);
        $program->untilItSays("answer 42\n");
        $first = Outside::connectionsTo($port);
        self::assertSame([self::OPTIONS], array_values($first));

        Outside::cutAt($port);
        $program->say('again');
        $program->untilItSays("answer 42\nanswer 42\n");
        $second = Outside::connectionsTo($port);
        self::assertSame([self::OPTIONS], array_values($second));
        self::assertNotSame(array_keys($first), array_keys($second), 'it is another connection');
    }

    /** @dataProvider others */
    #[DataProvider('others')]
    public function testAnotherProgram(string $name): void
    {
        [$server, $command, $own] = self::OTHERS[$name] + [2 => []];
        $port = self::$servers->port($server);
        $command = strtr($command, ['HOST' => '127.0.0.1', 'PORT' => (string) $port, 'HERE' => __DIR__]);
        self::assertSame([], Outside::connectionsTo($port), 'left by an earlier program');
        $program = new Program(explode(' ', $command), self::SETTINGS);
        $connections = $program->until('a connection', static fn () => Outside::connectionsTo($port));
        self::assertSame([array_replace(self::OPTIONS, $own)], array_values($connections));
    }

    public function testWithoutVariablesNothingIsSet(): void
    {
        $port = self::$servers->port('redis');
        $program = new Program(['nc', '127.0.0.1', (string) $port], []);
        [$options] = array_values($program->until('a connection', static fn () => Outside::connectionsTo($port)));
        self::assertSame(0, $options['on']);
        self::assertSame(0, $options['userTimeoutMs']);
    }
}
