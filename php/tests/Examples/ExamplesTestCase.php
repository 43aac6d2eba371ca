<?php

declare(strict_types=1);

namespace Keepalive\Tests\Examples;

use PHPUnit\Framework\TestCase;

/** What the tests of examples share: the kernel's word on a connection, and an end to all programs. */
abstract class ExamplesTestCase extends TestCase
{
    protected function tearDown(): void
    {
        Program::stopAll();
    }

    /** What examples print of a fresh socket, as the sysctls have it. */
    protected static function freshSettings(): string
    {
        $read = static function (string $name): string {
            return trim((string) file_get_contents("/proc/sys/net/ipv4/tcp_keepalive_$name"));
        };
        return "keepalive off, idle {$read('time')} s, interval {$read('intvl')} s, count {$read('probes')}";
    }

    /**
     * Asserts that ss sees so many connections with this filter, each with the kernel's keepalive
     * timer running, set for this many seconds a moment ago.
     *
     * @return string[] the local and remote address of each
     */
    protected static function assertTimers(int $idle, string $filter, int $connections = 1): array
    {
        $lines = [];
        Program::until(static function () use ($filter, $connections, &$lines): bool {
            $lines = self::ss("-o state established '( $filter )'");
            // Just after a segment another timer runs, until it is acknowledged.
            return count($lines) === $connections && count(preg_grep('/timer:\(keepalive/', $lines)) === $connections;
        }, static function () use ($filter, $connections, &$lines): string {
            return "Not $connections connections with a keepalive timer for $filter:\n" . implode("\n", $lines);
        });
        $addresses = [];
        foreach ($lines as $line) {
            self::assertSame(1, preg_match('/(\S+)\s+(\S+)\s+timer:\(keepalive,(\S+),(\d+)\)/', $line, $found), $line);
            $left = self::seconds($found[3]);
            self::assertLessThanOrEqual($idle, $left, $line);
            self::assertGreaterThan($idle - 14, $left, $line);
            self::assertSame('0', $found[4], "probes are unanswered: $line");
            $addresses[] = "$found[1] $found[2]";
        }
        return $addresses;
    }

    /** Asserts that nothing happens: a busy loop would take whole seconds. */
    protected static function assertSleeps(Program $program): void
    {
        $before = $program->cpuSeconds();
        usleep(1000000);
        self::assertLessThanOrEqual(0.03, $program->cpuSeconds() - $before, 'processor seconds while idle');
    }

    /** @return string[] lines of `ss -tnH` with more arguments */
    protected static function ss(string $arguments): array
    {
        exec("ss -tnH $arguments 2>&1", $lines, $status);
        self::assertSame(0, $status, implode("\n", $lines));
        return $lines;
    }

    /** ss writes "1min59sec", "59sec" or "990ms". */
    private static function seconds(string $time): float
    {
        $time = preg_replace('/^(\d+\.\d+)ms$/', '$1sec', $time); // ss means seconds there
        preg_match('/^(?:(\d+)min)?(?:([\d.]+)sec)?(?:(\d+)ms)?$/', $time, $part);
        return 60 * (float) ($part[1] ?? 0) + (float) ($part[2] ?? 0) + (float) ($part[3] ?? 0) / 1000;
    }
}
