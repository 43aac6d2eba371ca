<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Opened;
use Keepalive\Tests\Support\Sockets;
use PHPUnit\Framework\Attributes\DataProvider;

/** Which values are accepted; the others change nothing. */
final class ValuesTest extends KeepaliveTestCase
{
    private const GOOD = [42, 7, 3, 63000];
    private const NAMES = ['idle', 'interval', 'count', 'userTimeoutMs'];

    /** @return array<string, array{string, array<int>}> */
    public static function accepted(): array
    {
        return self::withBothBackends([
            'smallest' => [[1, 1, 1, 1]],
            'largest' => [[32767, 32767, 127, 0x7FFFFFFF]],
            'largest idle' => [[32767, 1, 1, 0]],
            'largest interval' => [[1, 32767, 1, 0]],
            'largest count' => [[1, 1, 127, 0]],
            'no user timeout' => [[60, 10, 6, 0]],
        ]);
    }

    /** @return array<string, array{string, int, mixed}> */
    public static function refused(): array
    {
        $wrongEverywhere = [
            'smallest int' => PHP_INT_MIN,
            'largest int' => PHP_INT_MAX,
            '60 after C has cut it' => 2 ** 32 + 60,
            '0 after C has cut it' => 2 ** 32,
            '-1 after C has cut it' => 2 ** 32 - 1,
            'one more than an int of C' => 0x80000000,
            'float' => 3.5,
            'whole float' => 60.0,
            'infinity' => INF,
            'no number' => NAN,
            'numeric string' => '60',
            'string' => 'abc',
            'empty string' => '',
            'true' => true,
            'false' => false,
            'array' => [60],
            'object' => new \stdClass(),
        ];
        $rows = [];
        foreach (self::NAMES as $position => $name) {
            $wrong = $wrongEverywhere + [
                'below the range' => $name === 'userTimeoutMs' ? -1 : -2,
            ];
            if ($name !== 'userTimeoutMs') {
                $wrong += [
                    'null' => null,
                    'above the range' => $name === 'count' ? 128 : 32768,
                    'largest int of C' => 0x7FFFFFFF,
                ];
            }
            foreach ($wrong as $what => $value) {
                if ($name === 'userTimeoutMs' && $value === 0x7FFFFFFF) {
                    continue; // 32-bit PHP's largest int is a user timeout
                }
                $rows["$name: $what"] = [$position, $value];
            }
        }
        return self::withBothBackends($rows);
    }

    /**
     * @dataProvider accepted
     * @param int[] $values
     */
    #[DataProvider('accepted')]
    public function testValuesWithinTheRangeReachTheKernel(string $backend, array $values): void
    {
        self::useBackend($backend);
        $opened = Sockets::pair('127.0.0.1');

        Keepalive::enable($opened->socket, ...$values);

        self::assertSame(array_merge([1], $values), array_values($opened->options()));
    }

    /**
     * @dataProvider refused
     * @param mixed $value
     */
    #[DataProvider('refused')]
    public function testAnyOtherValueIsRefusedAndChangesNothing(string $backend, int $position, $value): void
    {
        self::useBackend($backend);
        $values = array_replace(self::GOOD, [$position => $value]);
        foreach ([Sockets::pair('127.0.0.1'), Sockets::kind('Socket of socket_create')()] as $opened) {
            $before = $opened->options();
            $thrown = self::thrownBy(static function () use ($opened, $values): void {
                Keepalive::enable($opened->socket, ...$values);
            });
            self::assertRefused($thrown, $position);
            self::assertSame($before, $opened->options());
        }
        self::assertRefused(self::thrownBy(static function () use ($values): void {
            Settings::of(...$values);
        }), $position);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAWrongValueIsNamedBeforeAWrongSocket(string $backend): void
    {
        self::useBackend($backend);
        $thrown = self::thrownBy(static function (): void {
            Keepalive::enable(null, 0, 0, 128);
        });
        self::assertSame(
            'count must be an int from 1 to 127 (probes), Keepalive::SYSTEM_DEFAULT (0) or Keepalive::UNCHANGED (-1); '
            . 'int 128 was given.',
            $thrown->getMessage()
        );
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testEachValueCanBeLeftUnchangedByItself(string $backend): void
    {
        self::useBackend($backend);
        foreach ([0 => 43, 1 => 8, 2 => 4] as $position => $value) {
            $opened = self::openedWithGoodValues();
            $values = [Keepalive::UNCHANGED, Keepalive::UNCHANGED, Keepalive::UNCHANGED, null];
            $values[$position] = $value;

            Keepalive::enable($opened->socket, ...$values);

            $expected = array_merge([1], array_replace(self::GOOD, [$position => $value]));
            self::assertSame($expected, array_values($opened->options()));
        }
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testEachValueCanBeTheSystemsDefaultByItself(string $backend): void
    {
        self::useBackend($backend);
        $defaults = array_values(Kernel::defaults());
        foreach ($defaults as $position => $default) {
            $opened = self::openedWithGoodValues();
            $values = array_replace(self::GOOD, [$position => Keepalive::SYSTEM_DEFAULT]);

            Keepalive::enable($opened->socket, ...$values);

            $expected = array_merge([1], array_replace(self::GOOD, [$position => $default]));
            self::assertSame($expected, array_values($opened->options()));
        }
    }

    /** @return array<string, array{string[]}> */
    public static function flags(): array
    {
        return ['ffi' => [[]], 'sockets' => [['-d', 'ffi.enable=0']]];
    }

    /**
     * A sysctl may be larger than a socket accepts: a day, for instance.
     *
     * @dataProvider flags
     * @param string[] $flags
     */
    #[DataProvider('flags')]
    public function testASystemsDefaultThatNoSocketAcceptsChangesNothing(array $flags): void
    {
        $day = 'ip link set lo up && echo 86400 >/proc/sys/net/ipv4/tcp_keepalive_time && exec "$@"';
        $host = ['unshare', '--map-root-user', '--net', 'sh', '-c', $day, 'sh'];
        $output = Child::program('default-beyond-range', $flags, [], $host)->cleanOutput();
        $expected = [
            'done 1/86400/75/9/5000', // it has the value already
            'done 0/86400/75/9/0',
            '34 1/60/10/6/120000', // ERANGE
            '22 1/60/10/6/120000', // EINVAL
        ];
        self::assertSame(array_merge($expected, $expected), explode("\n", rtrim($output)));
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testWithoutAUserTimeoutTheSocketKeepsItsOwn(string $backend): void
    {
        self::useBackend($backend);
        $opened = self::openedWithGoodValues();

        Keepalive::enable($opened->socket, 60, 10, 6);
        self::assertSame([1, 60, 10, 6, 63000], array_values($opened->options()));

        Keepalive::enable($opened->socket, 60, 10, 6, 0);
        self::assertSame([1, 60, 10, 6, 0], array_values($opened->options()));
    }

    private static function openedWithGoodValues(): Opened
    {
        $opened = Sockets::pair('127.0.0.1');
        Keepalive::enable($opened->socket, ...self::GOOD);
        self::assertSame(array_merge([1], self::GOOD), array_values($opened->options()));
        return $opened;
    }

    private static function assertRefused(\Throwable $thrown, int $position): void
    {
        self::assertSame(InvalidArgumentException::class, get_class($thrown), $thrown->getMessage());
        self::assertMatchesRegularExpression(
            '/^' . self::NAMES[$position] . ' must be an int from \d to \d+ .*; .+ was given\.$/',
            $thrown->getMessage()
        );
    }
}
