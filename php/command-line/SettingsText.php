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

    /** @return int|float seconds; 0 is the kernel's own limit */
    private static function userTimeout(Settings $settings)
    {
        return (int) $settings->userTimeoutMs() / 1000;
    }
}
