<?php

declare(strict_types=1);

namespace DeadPeer;

/** Results as people read them: a line each on the terminal, and the tables of the documentation. */
final class Report
{
    private const ERRORS = [
        0 => 'end of file',
        SOCKET_ETIMEDOUT => 'ETIMEDOUT',
        SOCKET_EHOSTUNREACH => 'EHOSTUNREACH',
        SOCKET_ENETUNREACH => 'ENETUNREACH',
        SOCKET_ECONNREFUSED => 'ECONNREFUSED',
        SOCKET_ECONNRESET => 'ECONNRESET',
    ];

    /** @param array<string, mixed> $result */
    public static function line(array $result): string
    {
        return sprintf(
            '  %-33s %-64s %-19s %-22s %s',
            $result['name'],
            self::what($result),
            self::predicted($result),
            self::measured($result),
            $result['problems'] === [] ? 'ok' : 'NOT OK: ' . implode(', ', $result['problems'])
        );
    }

    /** @param array<string, array<string, mixed>> $results */
    public static function timesTable(array $results): string
    {
        $table = "| Case | What happens | By the rules | Measured | On the wire, seconds after the cut |\n| --- | --- | --- | --- | --- |\n";
        $group = '';
        foreach ($results as $name => $result) {
            if ($result['case']['group'] !== $group) {
                $group = $result['case']['group'];
                $table .= "| **$group** | | | | |\n";
            }
            $table .= sprintf(
                "| `%s` | %s | %s | %s | %s |\n",
                $name,
                self::what($result),
                self::predicted($result),
                self::measured($result),
                self::wire($result)
            );
        }
        return $table . "\n" . self::machine();
    }

    /** @param array<string, array<string, mixed>> $results */
    public static function promiseTable(array $results): string
    {
        $table = "| Case | What happens | Told after this silence |\n| --- | --- | --- |\n";
        $group = '';
        foreach ($results as $name => $result) {
            if ($result['case']['group'] !== $group) {
                $group = $result['case']['group'];
                $table .= "| **$group** | | |\n";
            }
            $told = $result['silence'] === null ? 'not at all' : sprintf('%.2f s', $result['silence']);
            $table .= sprintf("| `%s` | %s | %s |\n", $name, self::what($result), $told);
        }
        return $table . "\n" . self::machine();
    }

    /** @param array<string, array<string, mixed>> $results */
    public static function toldTable(array $results): string
    {
        $table = "| Case | What happens | The program calls, and is told | Afterwards |\n| --- | --- | --- | --- |\n";
        foreach ($results as $name => $result) {
            $told = ['calls' => [], 'afterwards' => []];
            foreach ($result['told'] as $call => $returned) {
                $when = in_array($call, Program::AFTERWARDS, true) ? 'afterwards' : 'calls';
                $told[$when][] = "`$call` $returned";
            }
            $table .= sprintf(
                "| `%s` | %s | %s | %s |\n",
                $name,
                self::what($result),
                implode('; ', $told['calls']),
                implode('; ', $told['afterwards'])
            );
        }
        return $table . "\n" . self::machine();
    }

    /** @param array<string, mixed> $result */
    private static function what(array $result): string
    {
        $case = $result['case'];
        return $case['scenario'] . implode('', array_filter([
            $case['tls'] ? ', TLS' : '',
            $case['program'] === 'c' ? ', in C' : '',
            $case['program'] === 'socket' ? ', Socket' : '',
            $case['noDelay'] ? ', TCP_NODELAY' : '',
            $case['ip'] === 6 ? ', IPv6' : '',
            $case['ffi'] ? '' : ', without FFI',
            ['fread' => ', blocked in fread', 'select' => ', stream_select', 'loop' => ', fread in a loop', 'feof' => ', feof in a loop'][$case['waits']] ?? '',
        ]));
    }

    /** @param array<string, mixed> $result */
    private static function wire(array $result): string
    {
        $rows = ['data' => 'data', 'probes' => 'probes', 'resets sent' => 'RST', 'resets received' => 'RST from the peer'];
        $wire = [];
        foreach ($rows as $row => $label) {
            $times = $result[$row];
            if ($times !== []) {
                $wire[] = $label . ' ' . implode(' ', array_map(static function (float $time): string {
                    return sprintf('%.2f', $time);
                }, array_slice($times, 0, 8))) . (count($times) > 8 ? ' ...' : '');
            }
        }
        return implode('; ', $wire);
    }

    /** @param array<string, mixed> $result */
    private static function predicted(array $result): string
    {
        if (!isset($result['predicted'])) {
            return '';
        }
        return self::outcome($result['predicted']['seen'], $result['horizon'], 1, self::ERRORS[$result['predicted']['error']]);
    }

    /** @param array<string, mixed> $result */
    private static function measured(array $result): string
    {
        if (!isset($result['predicted'])) {
            return '';
        }
        $error = self::ERRORS[$result['error']] ?? "errno {$result['error']}";
        return self::outcome($result['seen'], $result['horizon'], 2, $result['case']['told'] ? $error : '(no errno)');
    }

    private static function outcome(?float $seen, float $horizon, int $digits, string $error): string
    {
        return $seen === null ? sprintf('none in %g s', $horizon) : sprintf("%.{$digits}f s %s", $seen, $error);
    }

    private static function machine(): string
    {
        // Without the name of the build, which tells a reader nothing.
        return sprintf("Linux %s, PHP %s.\n", strtok(php_uname('r'), '-'), PHP_VERSION);
    }
}
