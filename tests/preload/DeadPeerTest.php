<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Support\Child;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** The peer's host dies: with LIBKEEPALIVE=within=6 programs are told within 6 s, without it they hang. */
final class DeadPeerTest extends TestCase
{
    private const WITHIN_SECONDS = 6;

    private const SAY = [
        'PHP PDO' => 'SQLSTATE[HY000]: General error: 2006 MySQL server has gone away',
        'psql' => 'could not receive data from server: Connection timed out',
        'Python' => 'TimeoutError: [Errno 110] Connection timed out',
    ];

    /** @var array<string, array{seconds: float, 'at most': float, said: string}|null> */
    private static array $told = [];

    public static function setUpBeforeClass(): void
    {
        $hosts = dirname(__DIR__, 2) . '/lab/hosts';
        $said = Child::run([$hosts, 'run', PHP_BINARY, __DIR__ . '/dead-peer.php'])->cleanOutput();
        self::$told = json_decode($said, true);
    }

    /** @return array<string, array{string, string}> */
    public static function cases(): array
    {
        $cases = [];
        foreach (array_keys(self::SAY) as $client) {
            $cases["$client waits"] = [$client, 'wait'];
            $cases["$client asks"] = [$client, 'ask'];
        }
        return $cases;
    }

    /** @dataProvider cases */
    #[DataProvider('cases')]
    public function testIsToldInTime(string $client, string $what): void
    {
        $told = self::$told["$client/$what/with"];
        self::assertNotNull($told);
        ['seconds' => $seconds, 'at most' => $atMost, 'said' => $said] = $told;
        self::assertLessThan(self::WITHIN_SECONDS, $seconds, $said);
        self::assertGreaterThan(1, $atMost, "too soon for a dead peer: $said");
        self::assertStringContainsString(self::SAY[$client], $said);
    }

    /** @dataProvider cases */
    #[DataProvider('cases')]
    public function testHangsWithoutIt(string $client, string $what): void
    {
        self::assertNull(self::$told["$client/$what/without"]);
    }
}
