<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

use Keepalive\CommandLine\Duration;
use Keepalive\CommandLine\SettingsText;

/**
 * What happened to a socket between two samples.
 *
 * @internal
 */
final class Changes
{
    /** If data is on its way for this many seconds, a line says so. */
    private const USUAL_WAIT = 1.0;

    /** Seconds by which the kernel's clocks (a tick is up to 10 ms) and timers may differ. */
    private const SLACK = 0.1;

    private const STATES = [
        'ESTABLISHED' => 'connected',
        'CLOSE_WAIT' => 'the peer has closed its side',
        'FIN_WAIT1' => 'this side is closed',
        'FIN_WAIT2' => 'this side is closed',
        'LAST_ACK' => 'both sides are closed',
        'CLOSING' => 'both sides are closed',
    ];

    /** @return Change[] the lines about a new socket */
    public static function atFirst(Sample $sample): array
    {
        $state = $sample->status->state();
        if ($state === 'LISTEN') {
            return [new Change(Change::OPENED, "$sample->local LISTEN, " . SettingsText::long($sample->settings))];
        }
        $changes = [
            new Change(Change::OPENED, "$sample->remote from $sample->local $state"),
            new Change(Change::SETTINGS, SettingsText::long($sample->settings)),
        ];
        $givesUpIn = (new Forecast($sample))->givesUpIn;
        if ($givesUpIn !== null) {
            $text = 'if the peer stays silent, the kernel gives up in ' . Duration::text($givesUpIn);
            $changes[] = new Change(Change::FORECAST, $text);
        }
        return $changes;
    }

    /** @return Change[] */
    public static function between(Sample $before, Sample $now): array
    {
        $changes = [];
        $state = $now->status->state();
        if ($state !== $before->status->state()) {
            $text = $state . (isset(self::STATES[$state]) ? ': ' . self::STATES[$state] : '');
            $changes[] = new Change(Change::STATE, $text);
        }
        if ($now->settings != $before->settings) {
            $changes[] = new Change(Change::SETTINGS, 'now ' . SettingsText::long($now->settings));
        }
        return array_merge($changes, self::ofAnswers($before, $now), self::ofData($before, $now));
    }

    /** @return Change[] */
    private static function ofAnswers(Sample $before, Sample $now): array
    {
        if ($before->silence === null || $now->silence === null || !$now->settings->enabled()) {
            return [];
        }
        $silence = ($now->at - $now->silence) - ($before->at - $before->silence);
        $unanswered = $now->status->probes();
        if ($silence > self::SLACK && $silence > $before->settings->idle() - self::SLACK) {
            return [new Change(Change::HEARD, 'heard from the peer after ' . Duration::text($silence) . ' of silence')];
        }
        if ($unanswered > $before->status->probes() && $now->timer === 'keepalive') {
            $forecast = new Forecast($now);
            return [new Change(Change::PROBE, sprintf(
                'probe %d of %d sent after %s of silence; gives up in %s',
                $unanswered,
                $forecast->probes,
                Duration::text((float) $now->silence),
                Duration::text((float) $forecast->givesUpIn)
            ))];
        }
        return [];
    }

    /** @return Change[] */
    private static function ofData(Sample $before, Sample $now): array
    {
        $waitedBefore = $before->waiting ?? 0.0;
        if ($now->waiting !== null && $now->waiting >= self::USUAL_WAIT && $waitedBefore < self::USUAL_WAIT) {
            $forecast = new Forecast($now);
            return [new Change(Change::UNACKNOWLEDGED, sprintf(
                '%s, %s',
                $now->timer === 'window probe' ? 'data cannot be sent' : 'data is not acknowledged',
                $forecast->givesUpIn === null
                    ? "no user timeout: gives up in $forecast->note"
                    : 'no probes: gives up in ' . Duration::text($forecast->givesUpIn)
            ))];
        }
        if ($now->waiting === null && $waitedBefore >= self::USUAL_WAIT) {
            $text = 'all data is acknowledged, after ' . Duration::text($waitedBefore);
            return [new Change(Change::ACKNOWLEDGED, $text)];
        }
        return [];
    }
}
