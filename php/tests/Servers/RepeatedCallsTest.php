<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers;

use Keepalive\Tests\Support\Child;
use PHPUnit\Framework\TestCase;

/** Calling again and again, as recipes say, does not make the time shorter. Between two hosts, of which one is lost. */
final class RepeatedCallsTest extends TestCase
{
    public function testEnableConnectionsToAtEachTurnKeepsThePromiseAndApplyDoesNot(): void
    {
        $hosts = dirname(__DIR__, 3) . '/lab/hosts';
        $output = Child::run([$hosts, 'run', PHP_BINARY, __DIR__ . '/Support/repeated-calls.php'])->cleanOutput();
        $seconds = json_decode($output, true);
        // 2, 3, 2: after 8 seconds.
        self::assertEqualsWithDelta(8, $seconds['once'], 1, $output);
        self::assertEqualsWithDelta($seconds['once'], $seconds['enableConnectionsTo'], 0.6, $output);
        self::assertLessThan(5, $seconds['apply'], 'documented: each call sends one more probe, which counts');
    }
}
