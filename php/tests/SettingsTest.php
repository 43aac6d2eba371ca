<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Internal\Library;
use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Sockets;
use PHPUnit\Framework\Attributes\DataProvider;

/** Settings: their methods, and the numbers of detectWithin(). */
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

    /** An answered probe is followed by the next one after the longer of the two. Measured: 1/3/2 ends after 9.2 s. */
    public function testAnIntervalLongerThanTheIdleTimeCountsOnceMore(): void
    {
        self::assertSame(9, Settings::of(1, 3, 2)->detectionSeconds());
        self::assertSame(9, Settings::of(3, 3, 2)->detectionSeconds());
    }

    public function testThePromiseHasTheNumbersOfTheLibraryForEverySecond(): void
    {
        $library = \FFI::cdef((string) file_get_contents(dirname(__DIR__) . '/keepalive-ffi.h'), Library::find());
        for ($seconds = 6; $seconds <= 14400; $seconds++) {
            $values = $library->ka_detect_within($seconds);
            $expected = [1, $values->idle, $values->intvl, $values->cnt, $values->user_timeout_ms];
            $settings = array_values(Settings::detectWithin($seconds)->toArray());
            $settings[0] = (int) $settings[0];
            if ($settings !== $expected) {
                self::assertSame($expected, $settings, "$seconds s");
            }
        }
        self::assertSame(-SOCKET_EINVAL, $library->ka_detect_within(5)->enabled);
        self::assertSame(-SOCKET_EINVAL, $library->ka_detect_within($seconds)->enabled);
    }

    public function testWhatThePromiseBecomesForTheTimesThatPeopleChoose(): void
    {
        $values = static function (int $seconds): array {
            return array_slice(array_values(Settings::detectWithin($seconds)->toArray()), 1);
        };
        self::assertSame([2, 1, 1, 1300], $values(6));
        self::assertSame([1, 1, 3, 4000], $values(10));
        self::assertSame([3, 2, 5, 13000], $values(30));
        self::assertSame([6, 4, 5, 26000], $values(60));
        self::assertSame([12, 7, 6, 54000], $values(120));
        self::assertSame([63, 35, 6, 273000], $values(600));
        self::assertSame([85, 60, 26, 1645000], $values(3600));
    }

    /** @return array<string, array{Settings}> */
    public static function storable(): array
    {
        return [
            'the promise' => [Settings::detectWithin(30)],
            'no user timeout' => [Settings::of(60, 10, 6)],
            'left to the system and to the socket' => [Settings::of(Keepalive::SYSTEM_DEFAULT, Keepalive::UNCHANGED, 1, 0)],
        ];
    }

    /** @dataProvider storable */
    #[DataProvider('storable')]
    public function testTheySurviveBeingStored(Settings $settings): void
    {
        self::assertEquals($settings, unserialize(serialize($settings)));
        self::assertEquals($settings, eval('return ' . var_export($settings, true) . ';'));
        self::assertSame($settings->toArray(), json_decode(json_encode($settings, JSON_THROW_ON_ERROR), true));
    }

    /** @return array<string, array{mixed}> */
    public static function noSeconds(): array
    {
        return [
            'too few' => [5],
            'none' => [0],
            'negative' => [-1],
            'more than four hours' => [14401],
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
    public function testSecondsOutsideSixToFourHoursAreRefused($seconds): void
    {
        $thrown = self::thrownBy(static function () use ($seconds): void {
            Settings::detectWithin($seconds);
        });
        self::assertSame(InvalidArgumentException::class, get_class($thrown));
        self::assertMatchesRegularExpression(
            '/^seconds must be an int from 6 to 14400; .+ was given\.$/',
            $thrown->getMessage()
        );
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testTheShortestAndTheLongestAreAcceptedByTheKernel(string $backend): void
    {
        self::useBackend($backend);
        foreach ([6, 30, 14400] as $seconds) {
            $settings = Settings::detectWithin($seconds);
            $opened = Sockets::pair('127.0.0.1');
            Keepalive::apply($opened->socket, $settings);
            $options = $opened->options();
            self::assertSame(1, $options['on']);
            self::assertSame($settings->idle(), $options['idle']);
            self::assertSame($settings->interval(), $options['interval']);
            self::assertSame($settings->count(), $options['count']);
            self::assertSame($settings->userTimeoutMs(), $options['userTimeoutMs']);
        }
    }
}
