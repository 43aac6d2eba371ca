<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Sockets;
use PHPUnit\Framework\Attributes\DataProvider;

/** Settings by themselves: what they tell, and how detectWithin() divides the time. */
final class SettingsTest extends KeepaliveTestCase
{
    public function testTheyTellWhatTheyWereMadeOf(): void
    {
        $settings = Settings::of(60, 10, 6, 120000);
        self::assertTrue($settings->enabled());
        self::assertSame(60, $settings->idle());
        self::assertSame(10, $settings->interval());
        self::assertSame(6, $settings->count());
        self::assertSame(120000, $settings->userTimeoutMs());
        self::assertSame(120, $settings->detectionSeconds());
        self::assertNull(Settings::of(60, 10, 6)->userTimeoutMs());
    }

    public function testTheTimeToDetectIsUnknownWhileAValueIsLeftToTheSocketOrTheSystem(): void
    {
        self::assertNull(Settings::of(Keepalive::SYSTEM_DEFAULT, 10, 6)->detectionSeconds());
        self::assertNull(Settings::of(60, Keepalive::UNCHANGED, 6)->detectionSeconds());
        self::assertNull(Settings::of(60, 10, Keepalive::UNCHANGED)->detectionSeconds());
    }

    public function testWhateverTheSecondsThePromiseAddsUpAndTheSplitIsSensible(): void
    {
        for ($seconds = 3; $seconds <= 86400; $seconds++) {
            $settings = Settings::detectWithin($seconds);
            $idle = $settings->idle();
            $interval = $settings->interval();
            $count = $settings->count();
            $sensible = $idle + $interval * $count === $seconds
                && $settings->detectionSeconds() === $seconds
                && $settings->userTimeoutMs() === $seconds * 1000
                && $settings->enabled()
                // What the kernel accepts, and no NAT on the way forgets.
                && $idle >= 1 && $idle <= 120
                && $interval >= 1 && $interval <= 32767
                // One lost probe never is the verdict; more than six tell nothing more.
                && $count >= 2 && $count <= 6;
            if (!$sensible) {
                self::fail("detectWithin($seconds) is $idle + $interval x $count, user timeout {$settings->userTimeoutMs()}");
            }
        }
        self::assertSame(86401, $seconds);
    }

    public function testTheSplitOfTheTimesThatPeopleChoose(): void
    {
        $split = static function (int $seconds): array {
            $settings = Settings::detectWithin($seconds);
            return [$settings->idle(), $settings->interval(), $settings->count()];
        };
        self::assertSame([1, 1, 2], $split(3));
        self::assertSame([1, 1, 3], $split(4));
        self::assertSame([4, 2, 3], $split(10));
        self::assertSame([15, 5, 3], $split(30));
        self::assertSame([30, 5, 6], $split(60));
        self::assertSame([60, 10, 6], $split(120));
    }

    /** @return array<string, array{mixed}> */
    public static function noSeconds(): array
    {
        return [
            'too few' => [2],
            'none' => [0],
            'negative' => [-1],
            'more than a day' => [86401],
            '30 after C has cut it' => [2 ** 32 + 30],
            'largest int' => [PHP_INT_MAX],
            'float' => [30.0],
            'string' => ['30'],
            'null' => [null],
            'true' => [true],
        ];
    }

    /**
     * @dataProvider noSeconds
     * @param mixed $seconds
     */
    #[DataProvider('noSeconds')]
    public function testSecondsOutsideThreeToADayAreRefused($seconds): void
    {
        $thrown = self::thrownBy(static function () use ($seconds): void {
            Settings::detectWithin($seconds);
        });
        self::assertSame(InvalidArgumentException::class, get_class($thrown));
        self::assertMatchesRegularExpression(
            '/^seconds must be an int from 3 to 86400; .+ was given\.$/',
            $thrown->getMessage()
        );
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testTheShortestAndTheLongestAreAcceptedByTheKernel(string $backend): void
    {
        self::useBackend($backend);
        foreach ([3, 30, 86400] as $seconds) {
            $opened = Sockets::pair('127.0.0.1');
            Keepalive::apply($opened->socket, Settings::detectWithin($seconds));
            $options = $opened->options();
            self::assertSame(1, $options['on']);
            self::assertSame($seconds, $options['idle'] + $options['interval'] * $options['count']);
            self::assertSame($seconds * 1000, $options['userTimeoutMs']);
        }
    }
}
