<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * When the kernel would give a connection up if nothing more came from the peer: its rules
 * (net/ipv4/tcp_timer.c) applied to what it has now.
 *
 * @internal
 */
final class Forecast
{
    /** Seconds until the next probe; null if none is to come. */
    public ?float $probeIn = null;

    /** Seconds until the kernel gives the connection up; null where that is not known in seconds, and $note says why. */
    public ?float $givesUpIn = null;

    /** How many probes there will have been by then, counting those that are out. */
    public ?int $probes = null;

    /** In a few words, where there is no number. */
    public string $note = '';

    public function __construct(Sample $sample)
    {
        if (!$sample->isConnected()) {
            $this->note = '-';
        } elseif ($sample->waiting !== null) {
            // The retransmission timer has the connection, and keepalive waits.
            $this->whileWaiting($sample);
        } elseif ($sample->settings->enabled()) {
            $this->whileIdle($sample);
        } else {
            $this->note = 'never';
        }
    }

    private function whileWaiting(Sample $sample): void
    {
        $userTimeout = (int) $sample->settings->userTimeoutMs() / 1000;
        if ($userTimeout > 0) {
            // It looks when it sends again, which is later where the user timeout was set after that was planned.
            $this->givesUpIn = max($sample->timerIn, $userTimeout - $sample->waiting);
        } else {
            $this->note = '~15 min'; // sysctl tcp_retries2, also for probes of a closed window
        }
    }

    private function whileIdle(Sample $sample): void
    {
        $settings = $sample->settings;
        $unanswered = $sample->status->probes();
        // Each time it fires, the timer sends a probe or gives the connection up, unless something was
        // heard meanwhile: then it goes on until idle seconds after that.
        $turn = $sample->timer === 'keepalive' ? $sample->timerIn : 0.0;
        if ($unanswered === 0) {
            $turn = max($turn, $settings->idle() - $sample->silence);
        }
        $turns = self::turnsAfter($turn, $sample);
        $this->probeIn = $turns > 0 ? $turn : null;
        $this->probes = $sample->status->probes() + $turns;
        $this->givesUpIn = $turn + $turns * $settings->interval();
    }

    /** How many more times the timer fires, after the next one, until the connection is given up. */
    private static function turnsAfter(float $turn, Sample $sample): int
    {
        $settings = $sample->settings;
        $unanswered = $sample->status->probes();
        $userTimeout = (int) $settings->userTimeoutMs() / 1000;
        if ($userTimeout > 0) { // it takes the place of the count, but for one probe
            $left = $userTimeout - $sample->silence - $turn;
            return max($unanswered > 0 ? 0 : 1, (int) ceil($left / $settings->interval()));
        }
        return max(0, $settings->count() - $unanswered);
    }
}
