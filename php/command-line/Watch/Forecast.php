<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * When the kernel will give a connection up if nothing more comes from the peer: the kernel's rules
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
        if ($sample->silence === null) {
            $this->note = '-';
        } elseif ($sample->waiting !== null) {
            // The retransmission timer runs, and keepalive waits.
            $this->whileWaiting($sample, $sample->waiting);
        } elseif ($sample->settings->enabled()) {
            $this->whileIdle($sample, $sample->silence);
        } else {
            $this->note = 'never';
        }
    }

    private function whileWaiting(Sample $sample, float $waiting): void
    {
        $userTimeout = (int) $sample->settings->userTimeoutMs() / 1000;
        if ($userTimeout > 0) {
            // The kernel checks the limit when it sends again. It planned that time before, perhaps without this user
            // timeout: then it is later than the limit.
            $this->givesUpIn = max($sample->timerIn, $userTimeout - $waiting);
        } else {
            $this->note = '~15 min'; // sysctl tcp_retries2, also for probes of a closed window
        }
    }

    private function whileIdle(Sample $sample, float $silence): void
    {
        $settings = $sample->settings;
        $unanswered = $sample->status->probes();
        // Each time it fires, the timer sends a probe or gives the connection up, unless the peer has sent something in
        // the meantime: then it waits until idle seconds after that.
        $turn = $sample->timer === 'keepalive' ? $sample->timerIn : 0.0;
        if ($unanswered === 0) {
            $turn = max($turn, $settings->idle() - $silence);
        }
        $turns = self::turnsAfter($silence + $turn, $sample);
        $this->probeIn = $turns > 0 ? $turn : null;
        $this->probes = $sample->status->probes() + $turns;
        $this->givesUpIn = $turn + $turns * $settings->interval();
    }

    /**
     * How many more times the timer fires, after the next one, until the connection is given up.
     *
     * @param float $silence by the time it fires next
     */
    private static function turnsAfter(float $silence, Sample $sample): int
    {
        $settings = $sample->settings;
        $unanswered = $sample->status->probes();
        $userTimeout = (int) $settings->userTimeoutMs() / 1000;
        if ($userTimeout > 0) { // it replaces the count, but at least one probe is sent
            return max($unanswered > 0 ? 0 : 1, (int) ceil(($userTimeout - $silence) / $settings->interval()));
        }
        return max(0, $settings->count() - $unanswered);
    }
}
