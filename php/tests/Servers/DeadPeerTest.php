<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers;

use Keepalive\Tests\Servers\Support\Clients;
use Keepalive\Tests\Support\Child;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

/**
 * The server's host dies without a word: without this package the worker hangs, with it the error comes
 * on time.
 */
final class DeadPeerTest extends TestCase
{
    /** What Support/dead-peer.php asks for, which also makes the table of docs/recipes.md. */
    private const WITHIN_SECONDS = 6;

    /** curl tries once more, for a second, before it tells; and all clients run at once. */
    private const SLACK_SECONDS = 1.5;

    /** @var array<string, array<string, array<string, array{seconds: float, answer: string}|null>>> */
    private static array $results = [];

    public static function setUpBeforeClass(): void
    {
        $script = __DIR__ . '/Support/dead-peer.php';
        $hosts = dirname(__DIR__, 3) . '/lab/hosts';
        self::$results = json_decode(Child::run([$hosts, 'run', PHP_BINARY, $script])->cleanOutput(), true);
    }

    /** @return array<string, array{string, string}> */
    public static function cases(): array
    {
        $cases = [];
        foreach (Clients::names() as $client) {
            if (Clients::canWait($client)) {
                $cases["$client waits for an answer"] = [$client, 'wait'];
            }
            $cases["$client asks"] = [$client, 'ask'];
        }
        return $cases;
    }

    /** @dataProvider cases */
    #[DataProvider('cases')]
    public function testTheErrorComesOnTime(string $client, string $action): void
    {
        $with = self::$results[$client][$action]['with'];
        self::assertNotNull($with, 'noticed nothing');
        self::assertStringNotContainsString('answered:', $with['answer']);
        self::assertLessThan(self::WITHIN_SECONDS + self::SLACK_SECONDS, $with['seconds'], $with['answer']);
        self::assertGreaterThan(1, $with['seconds'], "too soon for a dead peer: {$with['answer']}");
    }

    /** @dataProvider cases */
    #[DataProvider('cases')]
    public function testWithoutThisPackageItHangs(string $client, string $action): void
    {
        if (Clients::canWait($client)) {
            self::assertNull(self::$results[$client][$action]['without']);
        } else {
            self::assertSame('memcached', $client);
            self::assertGreaterThan(4.9, self::$results[$client][$action]['without']['seconds'], 'its own timeout');
        }
    }
}
