<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Settings;

/**
 * A socket's settings, written for people.
 *
 * @internal
 */
final class SettingsText
{
    /** What short() means; printed below a table. */
    public const LEGEND = 'keepalive: idle/interval/count+user timeout, in seconds and probes';

    /** "idle 60 s, interval 10 s, count 6, user timeout 120 s" */
    public static function long(Settings $settings): string
    {
        $keepalive = $settings->enabled()
            ? "idle {$settings->idle()} s, interval {$settings->interval()} s, count {$settings->count()}"
            : 'keepalive is off';
        $userTimeout = self::userTimeout($settings);
        return $keepalive . ($userTimeout > 0 ? ", user timeout $userTimeout s" : ', no user timeout');
    }

    /** "60/10/6+120", or without the last number if there is no user timeout. */
    public static function short(Settings $settings): string
    {
        $keepalive = $settings->enabled() ? "{$settings->idle()}/{$settings->interval()}/{$settings->count()}" : 'off';
        $userTimeout = self::userTimeout($settings);
        return $keepalive . ($userTimeout > 0 ? "+$userTimeout" : '');
    }

    /**
     * A sentence if the user timeout and the count disagree, else null.
     *
     * On Linux a user timeout replaces the count: an idle connection ends when the next probe is due, the peer has been
     * silent for that long, and a probe is unanswered.
     */
    public static function disagreement(Settings $settings): ?string
    {
        $ends = $settings->detectionSeconds();
        $first = max($settings->idle(), $settings->interval());
        $expected = $first + $settings->interval() * $settings->count();
        if (!$settings->enabled() || $ends === null || $ends === $expected) {
            return null;
        }
        return sprintf(
            'The user timeout of %s s replaces the count of %d: an idle connection whose peer is gone ends after '
            . '%d s (unanswered probes: %d), not after %d s.',
            self::userTimeout($settings),
            $settings->count(),
            $ends,
            intdiv($ends - $first, $settings->interval()),
            $expected
        );
    }

    /** @return int|float seconds; 0 is the kernel's own limit */
    private static function userTimeout(Settings $settings)
    {
        return (int) $settings->userTimeoutMs() / 1000;
    }
}
