<?php

declare(strict_types=1);

namespace Keepalive\Tests\Examples;

use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Process;
use PHPUnit\Framework\TestCase;

/** What the tests of examples share: what the kernel reports of a connection, and settings as examples print them. */
abstract class ExamplesTestCase extends TestCase
{
    /** What examples print of a socket with 60, 10, 6. */
    protected const ENABLED = '{"enabled":true,"idle":60,"interval":10,"count":6,"userTimeoutMs":0}';

    /** What the sysctls give a fresh socket. @return array{bool, int, int, int, int} */
    protected static function freshSettings(): array
    {
        $now = Kernel::defaults();
        return [false, $now['idle'], $now['interval'], $now['count'], 0];
    }

    /** Settings as examples print them. @param array{bool, int, int, int, int} $values */
    protected static function json(array $values): string
    {
        return (string) json_encode(array_combine(['enabled', 'idle', 'interval', 'count', 'userTimeoutMs'], $values));
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
        Process::poll(static function () use ($filter, $connections, &$lines): bool {
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
    protected static function assertSleeps(Process $program): void
    {
        $before = self::cpuSeconds($program->pid);
        usleep(1000000);
        self::assertLessThanOrEqual(0.03, self::cpuSeconds($program->pid) - $before, 'processor seconds while idle');
    }

    /** Processor seconds used so far; the kernel counts in steps of 10 ms. */
    private static function cpuSeconds(int $pid): float
    {
        $stat = (string) file_get_contents("/proc/$pid/stat");
        // After the name, which may contain anything, in parentheses: field 3 on; utime is 14, stime 15.
        $fields = explode(' ', substr($stat, strrpos($stat, ')') + 2));
        return ($fields[11] + $fields[12]) / 100;
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
        $time = preg_replace('/^(\d+\.\d+)ms$/', '$1sec', $time); // ss means seconds by it
        preg_match('/^(?:(\d+)min)?(?:([\d.]+)sec)?(?:(\d+)ms)?$/', $time, $part);
        return 60 * (float) ($part[1] ?? 0) + (float) ($part[2] ?? 0) + (float) ($part[3] ?? 0) / 1000;
    }
}
