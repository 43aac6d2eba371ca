<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

/**
 * Durations, written for people.
 *
 * @internal
 */
final class Duration
{
    /** "3.2 s", "1 min 05 s", "2 h 11 min 15 s". */
    public static function text(float $seconds): string
    {
        $tenths = (int) floor(max(0, $seconds) * 10 + 0.001);
        $whole = intdiv($tenths, 10);
        if ($whole < 60) {
            return sprintf('%d.%d s', $whole, $tenths % 10);
        }
        return $whole < 3600
            ? sprintf('%d min %02d s', intdiv($whole, 60), $whole % 60)
            : sprintf('%d h %02d min %02d s', intdiv($whole, 3600), intdiv($whole, 60) % 60, $whole % 60);
    }

    /** For a table, the largest unit alone: "3.2s", "1min", "2h"; five characters below ten thousand hours. */
    public static function largestUnit(float $seconds): string
    {
        [$number, $unit] = explode(' ', self::text($seconds));
        return $number . $unit;
    }
}
