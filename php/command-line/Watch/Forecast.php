<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * When the kernel would give a connection up if nothing more came from the peer: the kernel's rules
 * (net/ipv4/tcp_timer.c), applied to the present state.
 *
 * @internal
 */
final class Forecast
{
    /** Seconds until the next probe; null if there will be none. */
    public ?float $probeIn = null;

    /** Seconds until the kernel gives the connection up; null if that is not known in seconds; then $note says why. */
    public ?float $givesUpIn = null;

    /** The number of unanswered probes by then, including those already sent. */
    public ?int $probes = null;

    /** A few words, if there is no number. */
    public string $note = '';

    public function __construct(Sample $sample)
    {
        if (!$sample->isConnected()) {
            $this->note = '-';
        } elseif ($sample->waiting !== null) {
            // The retransmission timer runs, and keepalive waits.
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
            // The kernel checks when it sends again. That is later than the limit if the user timeout was set after
            // this time was planned.
            $this->givesUpIn = max($sample->timerIn, $userTimeout - $sample->waiting);
        } else {
            $this->note = '~15 min'; // sysctl tcp_retries2, also for probes of a closed window
        }
    }

    private function whileIdle(Sample $sample): void
    {
        $settings = $sample->settings;
        $unanswered = $sample->status->probes();
        // Each time it fires, the timer sends a probe or gives the connection up, unless the peer has sent something in
        // the meantime: then it waits until idle seconds after that.
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
        if ($userTimeout > 0) { // it replaces the count, but at least one probe is sent
            $left = $userTimeout - $sample->silence - $turn;
            return max($unanswered > 0 ? 0 : 1, (int) ceil($left / $settings->interval()));
        }
        return max(0, $settings->count() - $unanswered);
    }
}
