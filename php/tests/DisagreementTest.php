<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\CommandLine\SettingsText;
use Keepalive\Settings;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

/**
 * SettingsText::disagreement(): how Linux uses a user timeout that differs from idle + interval x count.
 */
final class DisagreementTest extends TestCase
{
    /** @return array<int, array<int, mixed>> */
    public static function agreeing(): array
    {
        return [
            [60, 10, 6, null],
            [60, 10, 6, 0],
            [60, 10, 6, 120000],
            [60, 10, 6, 115000],
            [60, 10, 1, 1000],
            [0, 10, 6, 1000],
            [60, -1, 6, 1000],
        ];
    }

    /** @dataProvider agreeing */
    #[DataProvider('agreeing')]
    public function testThereIsNone(int $idle, int $interval, int $count, ?int $userTimeoutMs): void
    {
        self::assertNull(SettingsText::disagreement(Settings::of($idle, $interval, $count, $userTimeoutMs)));
    }

    /** @return array<int, array<int, mixed>> */
    public static function disagreeing(): array
    {
        return [
            [1, 1, 2, 6000, 'ends after 6 s (unanswered probes: 5)'],
            [1, 1, 9, 500, 'ends after 2 s (unanswered probes: 1)'],
            [60, 10, 6, 30000, 'ends after 70 s (unanswered probes: 1)'],
            [60, 10, 6, 120001, 'ends after 130 s (unanswered probes: 7)'],
            [60, 10, 6, 110000, 'ends after 110 s (unanswered probes: 5)'],
        ];
    }

    /**
     * Idle 1, interval 1 and these counts and timeouts were measured: 6.1 s and 2.0 s.
     *
     * @dataProvider disagreeing
     */
    #[DataProvider('disagreeing')]
    public function testTheSentenceSaysWhatHappens(int $idle, int $interval, int $count, int $userTimeoutMs, string $what): void
    {
        $sentence = (string) SettingsText::disagreement(Settings::of($idle, $interval, $count, $userTimeoutMs));
        self::assertStringContainsString($what, $sentence);
        self::assertStringContainsString("replaces the count of $count", $sentence);
        self::assertStringEndsWith('not after ' . ($idle + $interval * $count) . ' s.', $sentence);
    }

    public function testWhatDetectWithinChoosesAgrees(): void
    {
        foreach ([6, 7, 8, 10, 30, 59, 60, 61, 100, 300, 3599, 14400] as $seconds) {
            self::assertNull(SettingsText::disagreement(Settings::detectWithin($seconds)), "$seconds s");
        }
    }
}
