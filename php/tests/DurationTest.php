<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\CommandLine\Duration;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\TestCase;

/**
 * How the command line writes durations.
 *
 * @group program
 */
#[Group('program')]
final class DurationTest extends TestCase
{
    /** @return array<int, array<int, mixed>> */
    public static function durations(): array
    {
        return [
            [0, '0.0 s', '0.0s'],
            [-0.1, '0.0 s', '0.0s'],
            [0.3, '0.3 s', '0.3s'],
            [59.99, '59.9 s', '59.9s'],
            [60, '1 min 00 s', '1min'],
            [3599.9, '59 min 59 s', '59min'],
            [7875, '2 h 11 min 15 s', '2h'],
            [36000000, '10000 h 00 min 00 s', '10000h'],
        ];
    }

    /** @dataProvider durations */
    #[DataProvider('durations')]
    public function testText(float $seconds, string $text, string $largestUnit): void
    {
        self::assertSame([$text, $largestUnit], [Duration::text($seconds), Duration::largestUnit($seconds)]);
    }
}
