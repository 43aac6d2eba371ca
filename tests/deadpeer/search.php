#!/usr/bin/env php
<?php

/**
 * Looks for a schedule of writes that breaks the promise: tests/deadpeer/search.php [--write-docs] [SCHEDULES]
 *
 * Plays so many random schedules (2000) for each of many N by the kernel's rules, which the cases of
 * `run` measure: idle and written, once and often, with round trips from 0.1 to 200 ms, and timers as
 * late as kernels with 100 to 1000 ticks a second make them. None may bring the error later than N seconds after the peer was last heard, or
 * before the user timeout. Then it shows that it would find one: with settings that do break the promise.
 *
 * One thing is later, and no setting helps: each small segment that a program with TCP_NODELAY sends
 * while others are unanswered puts off the first retransmission by up to two round trips, as long as
 * the congestion window takes it: ten segments, unless the connection was busy.
 *
 * Last it works out the outages that a connection lives through, for the table in docs/dead-peers.md.
 */

declare(strict_types=1);

namespace DeadPeer;

use Keepalive\Settings;

require __DIR__ . '/autoload.php';

/** Seconds: ten segments, two round trips of at most 200 ms for each. */
const POSTPONED = 10 * 2 * 0.2;

/** One connection, whose network is cut at some time, and what the program does. */
function randomSchedule(int $within, string $enable): string
{
    $random = static function (float $from, float $to): float {
        return $from + ($to - $from) * mt_rand() / mt_getrandmax();
    };
    $delay = mt_rand(0, 2) === 0 ? '' : sprintf('delay %d; ', mt_rand(1, 100));
    $steps = [$enable];
    // Before the cut: silence, so that the cut comes at any moment between two probes, and data.
    for ($i = mt_rand(0, 3); $i > 0; $i--) {
        $steps[] = sprintf('wait %d', $random(0, 700 * $within));
        $steps[] = mt_rand(0, 1) === 0 ? 'write' : sprintf('write %d %d', mt_rand(2, 9), mt_rand(1, 300));
    }
    $steps[] = sprintf('wait %d', mt_rand(0, 2) === 0 ? 0 : $random(0, 300 * $within));
    $steps[] = 'cut';
    $times = [];
    for ($i = [0, 1, 1, 1, 2, 5][mt_rand(0, 5)]; $i > 0; $i--) {
        // Half of the writes around the time when keepalive ends an idle connection: that is the worst.
        $times[] = mt_rand(0, 1) === 0 ? $random(0, $within) : $within * $random(0.25, 0.55);
    }
    sort($times);
    foreach ($times as $time) {
        $often = mt_rand(0, 3) === 0 ? sprintf(' %d %d', mt_rand(2, 30), mt_rand(1, 500)) : '';
        $steps[] = sprintf('%.3Fs write%s', $time, $often);
    }
    return $delay . implode('; ', $steps);
}

/**
 * The schedules with the longest and the shortest silence before the error, of so many.
 *
 * @return array{float, string, float, string} seconds and schedule of each
 */
function extremes(int $within, string $enable, int $schedules, bool $noDelay): array
{
    $longest = [0.0, ''];
    $shortest = [INF, ''];
    for ($i = 0; $i < $schedules; $i++) {
        $text = randomSchedule($within, $enable);
        $scenario = new Scenario($text);
        foreach (array_merge(Lateness::most(), [Lateness::none(), Lateness::randomWheel()]) as $late) {
            $rules = new KernelRules($scenario, 3.0 * $within + 5, ['noDelay' => $noDelay, 'tls' => $i % 3 === 0], $late);
            $silence = ($rules->dies ?? INF) - $rules->heard;
            if ($silence > $longest[0]) {
                $longest = [$silence, $text];
            }
            if ($silence < $shortest[0]) {
                $shortest = [$silence, $text];
            }
        }
    }
    return array_merge($longest, $shortest);
}

/** Seconds, rounded down to what the kernel's timers allow to say. */
function roundDown(float $seconds): string
{
    if ($seconds < 0.05) {
        return 'none';
    }
    return $seconds < 100 ? sprintf('%.1f s', floor($seconds * 10 + 0.001) / 10) : sprintf('%d s', floor($seconds));
}

/** What some N become, and the outages that a connection then lives through. */
function settingsTable(): string
{
    $table = "| N | idle | interval | count | user timeout | idle, after an answer | idle, at any moment | with data | with data, 200 ms away |\n"
        . "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    foreach ([6, 10, 30, 60, 120, 600, 3600] as $within) {
        $settings = Settings::detectWithin($within);
        $near = new Outage($within, 0);
        $far = new Outage($within, 100);
        $table .= sprintf(
            "| %d | %d s | %d s | %d | %g s | %s | %s | %s | %s |\n",
            $within,
            $settings->idle(),
            $settings->interval(),
            $settings->count(),
            $settings->userTimeoutMs() / 1000,
            ...array_map(__NAMESPACE__ . '\\roundDown', [
                $near->longest('answered'),
                $near->longest('idle'),
                $near->longest('data'),
                $far->longest('data'),
            ])
        );
    }
    return $table;
}

$writeDocs = in_array('--write-docs', $argv, true);
$schedules = (int) (array_values(array_diff(array_slice($argv, 1), ['--write-docs']))[0] ?? 2000);
$passed = $failed = 0;
$judge = static function (bool $ok, string $line) use (&$passed, &$failed): void {
    $ok ? $passed++ : $failed++;
    echo $line, $ok ? "  ok\n" : "  NOT OK\n";
};

mt_srand(7);
echo "N, its settings, and the shortest and longest silence in $schedules schedules, and with TCP_NODELAY\n";
foreach ([6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 45, 60, 90, 120, 300, 600, 1800, 3600, 14400] as $within) {
    $settings = Settings::detectWithin($within);
    $half = $settings->userTimeoutMs() / 1000;
    [$longest, $worst, $shortest, $early] = extremes($within, "within $within", $schedules, false);
    [$noDelay, $worstNoDelay] = extremes($within, "within $within", intdiv($schedules, 2), true);
    $ok = $longest <= $within && $shortest >= $half - 0.001 && $noDelay <= $within + POSTPONED;
    $judge($ok, sprintf(
        '%6d  %d/%d/%d and %g s: %.2f to %.2f, %.2f%s',
        $within,
        $settings->idle(),
        $settings->interval(),
        $settings->count(),
        $half,
        $shortest,
        $longest,
        $noDelay,
        $ok ? '' : ", by '$worst', '$worstNoDelay' and '$early'"
    ));
}
echo "Settings that break it: keepalive and the user timeout each have all of N, or half of it and no less\n";
foreach ([[30, '15 5 3 30000'], [6, '3 1 3 6000'], [30, '5 2 5 15000'], [6, '1 1 2 3000'], [3600, '120 60 28 1800000']] as [$within, $values]) {
    [$longest, $worst] = extremes($within, "enable $values", $schedules, false);
    $judge($longest > $within, sprintf("%6d  %s: %.2f, by '%s'", $within, $values, $longest, $worst));
}
echo "What docs/dead-peers.md says of outages\n";
foreach ([[6, 'answered', 5], [8, 'data', 6], [10, 'idle', 6]] as [$from, $kind, $part]) {
    $broken = array_filter(array_merge(range($from, 60), [90, 120, 300, 600, 3600, 14400]), static function (int $within) use ($kind, $part): bool {
        return !(new Outage($within, 0))->isLivedThrough($kind, $within / $part)
            || !(new Outage($within, 100))->isLivedThrough($kind, $within / $part);
    });
    $judge($broken === [], "  from N = $from, $kind: 1/$part of N is lived through; exceptions: " . count($broken) . ' ' . implode(' ', $broken));
}
$document = new Document(dirname(__DIR__, 2) . '/docs/dead-peers.md', 'settings', 'search');
$table = settingsTable();
if ($writeDocs) {
    $document->write($table);
}
$judge($document->isAbout($table), "docs/dead-peers.md, table 'settings', which tests/deadpeer/search.php --write-docs renews:");
echo "$passed passed, $failed failed\n";
exit($failed === 0 ? 0 : 1);
