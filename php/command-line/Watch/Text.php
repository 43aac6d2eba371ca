<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

use Keepalive\Settings;

/**
 * Numbers and settings as people read them.
 *
 * @internal
 */
final class Text
{
    /** "3.2 s", "1 min 05 s", "2 h 00 min": never longer than ten characters below a hundred hours. */
    public static function seconds(float $seconds): string
    {
        $tenths = (int) floor(max(0, $seconds) * 10 + 0.001);
        if ($tenths < 600) {
            return sprintf('%d.%d s', intdiv($tenths, 10), $tenths % 10);
        }
        $whole = intdiv($tenths, 10);
        return $whole < 3600
            ? sprintf('%d min %02d s', intdiv($whole, 60), $whole % 60)
            : sprintf('%d h %02d min', intdiv($whole, 3600), intdiv($whole, 60) % 60);
    }

    /** For a table, in five characters: "3.2s", "12:05" (minutes), "2h05", "100h". */
    public static function briefly(float $seconds): string
    {
        $whole = (int) max(0, $seconds);
        if ($whole < 60) {
            return sprintf("%.1fs", floor(max(0, $seconds) * 10 + 0.001) / 10);
        }
        if ($whole < 3600) {
            return sprintf("%d:%02d", intdiv($whole, 60), $whole % 60);
        }
        return $whole < 360000 ? sprintf("%dh%02d", intdiv($whole, 3600), intdiv($whole, 60) % 60) : intdiv($whole, 3600) . "h";
    }

    public static function settings(Settings $settings): string
    {
        if (!$settings->enabled()) {
            $text = 'keepalive is off';
        } else {
            $text = "idle {$settings->idle()} s, interval {$settings->interval()} s, count {$settings->count()}";
        }
        $userTimeout = (int) $settings->userTimeoutMs();
        return $text . ($userTimeout > 0 ? ', user timeout ' . $userTimeout / 1000 . ' s' : '');
    }
}
