<?php

declare(strict_types=1);

namespace DeadPeer;

/**
 * What Linux's rules for keepalive and the user timeout (net/ipv4/tcp_timer.c) say will happen.
 *
 * It goes through a scenario as the kernel would, with the same few variables. Times are seconds
 * after the network changed. The kernel's timers fire up to an eighth later than asked, never
 * earlier.
 */
final class KernelRules
{
    /** The retransmission timeout of a fast network: 200 ms, and a tick more. */
    public const RTO = 0.204;

    /** Each retransmission waits twice as long as the one before, up to this many seconds. */
    private const LONGEST_BACKOFF = 120;

    /** Seconds of retransmitting without a user timeout: what tcp_retries2 = 15 amounts to. */
    private const RETRIES_END = 924.6;

    /** What an ICMP message makes of the error that data in flight will end with. */
    private const ICMP_ERRORS = [
        'host-unreachable' => SOCKET_EHOSTUNREACH,
        'no-route' => SOCKET_ENETUNREACH,
        'port-unreachable' => SOCKET_ECONNREFUSED,
        'vanished' => SOCKET_EHOSTUNREACH, // the near host tells itself so, when ARP fails after 3 s
    ];

    /** Networks that probes do not get as far as: they wait for ARP, or for a link. */
    private const NOTHING_LEAVES = ['vanished', 'unplugged', 'down'];

    /** @var float[] when probes leave */
    public array $probes = [];

    /** When the connection ends, null while it does not. */
    public ?float $dies = null;

    /** When the program is told: later than that, if the connection waits in the listener's queue. */
    public ?float $seen = null;

    /** The errno it ends with; 0 for an orderly end. */
    public int $error = 0;

    /** @var array{int, int, int} idle, interval, count that a fresh socket has */
    private array $system = [7200, 75, 9];
    private bool $on = false;
    private float $idle = 7200;
    private float $interval = 75;
    private int $count = 9;

    /** In seconds here; 0 for none. */
    private float $userTimeout = 0;

    /** When anything came from the peer, pure acknowledgements included. */
    private float $heard = 0;

    /** Probes since then. */
    private int $unanswered = 0;

    private ?float $keepaliveTimer = null;

    /** Runs while data is in flight, or waits for the peer to open its window. */
    private ?float $retransmissionTimer = null;
    private float $backoff = 0;

    /** When retransmitting began; the tail loss probe that precedes it does not count. */
    private ?float $retransmitting = null;
    private bool $windowIsClosed = false;

    private bool $isEstablished;
    private string $network = 'up';
    private int $softError = SOCKET_ETIMEDOUT;
    private int $ip;

    /** @param int $ip 4 or 6 */
    public function __construct(Scenario $scenario, float $horizon, int $ip)
    {
        $this->ip = $ip;
        $this->isEstablished = !$scenario->has('connect');
        $steps = $scenario->steps;
        while ($this->dies === null) {
            $timer = min($this->keepaliveTimer ?? INF, $this->retransmissionTimer ?? INF, $horizon);
            if ($steps !== [] && $steps[0]['at'] <= $timer) {
                $step = array_shift($steps);
                $this->{$step['do']}($step['at'], ...$step['arguments']);
            } elseif ($timer >= $horizon) {
                break;
            } elseif ($timer === $this->keepaliveTimer) {
                $this->keepaliveTimerFires($timer);
            } else {
                $this->retransmissionTimerFires($timer);
            }
        }
        $this->seen = $this->dies;
        foreach ($this->dies === null ? [] : $steps as $step) {
            if ($step['do'] === 'accept') {
                $this->seen = max($this->dies, $step['at']);
            }
        }
    }

    /** tcp_keepalive_timer(). */
    private function keepaliveTimerFires(float $now): void
    {
        $silence = round($now - $this->heard, 6); // 4.2 - 3.2 is less than 1
        if ($this->retransmissionTimer !== null) {
            $this->keepaliveTimer = $now + $this->idle; // no probe, no verdict: that timer has both
        } elseif ($silence < $this->idle) {
            $this->keepaliveTimer = $this->heard + $this->idle;
        } elseif ($this->hasWaitedEnough($silence)) {
            $this->end($now, $this->softError);
        } else {
            $this->probe($now);
        }
    }

    /** The user timeout takes the place of the count. */
    private function hasWaitedEnough(float $silence): bool
    {
        return $this->userTimeout > 0
            ? $silence >= $this->userTimeout && $this->unanswered > 0
            : $this->unanswered >= $this->count;
    }

    /**
     * ICMP messages about a probe are ignored: they quote its sequence number, which is none of
     * those in flight.
     */
    private function probe(float $now): void
    {
        if (!in_array($this->network, self::NOTHING_LEAVES, true)) {
            $this->probes[] = $now;
        }
        $this->keepaliveTimer = $now + $this->interval;
        $this->unanswered++;
        $this->isAnswered($now);
    }

    /** tcp_retransmit_timer(), and tcp_probe_timer() for a closed window. */
    private function retransmissionTimerFires(float $now): void
    {
        $this->retransmitting = $this->retransmitting ?? ($this->backoff > 0 ? $now : null);
        $this->backoff = min($this->backoff > 0 ? 2 * $this->backoff : self::RTO, self::LONGEST_BACKOFF);
        $verdict = $this->verdict();
        if ($now >= $verdict) {
            $this->end($now, $this->softError);
        } elseif (!$this->windowIsClosed && $this->isAnswered($now)) {
            $this->retransmissionTimer = null;
        } else {
            $this->retransmissionTimer = $now + $this->backoff;
            if ($this->userTimeout > 0) {
                $this->retransmissionTimer = min($this->retransmissionTimer, $verdict);
            }
        }
    }

    /** When unacknowledged data ends the connection, or the next retransmission after that time. */
    private function verdict(): float
    {
        if ($this->retransmitting === null || ($this->windowIsClosed && $this->userTimeout == 0)) {
            return INF;
        }
        return $this->retransmitting + ($this->userTimeout > 0 ? $this->userTimeout : self::RETRIES_END);
    }

    /** Whether the far host answers a segment, be it with a reset. */
    private function isAnswered(float $now): bool
    {
        if ($this->network === 'up') {
            $this->heard = $now;
            $this->unanswered = 0;
            return true;
        }
        if ($this->network === 'rebooted') {
            $this->end($now, SOCKET_ECONNRESET);
            return true;
        }
        return false;
    }

    private function end(float $now, int $error): void
    {
        $this->dies = $now;
        $this->error = $error;
    }

    private function enable(float $now, string ...$arguments): void
    {
        $this->set($now, Scenario::values('enable', $arguments));
    }

    private function within(float $now, string ...$arguments): void
    {
        $this->set($now, Scenario::values('within', $arguments));
    }

    /** @param array{int, int, int, ?int} $values */
    private function set(float $now, array $values): void
    {
        [$idle, $interval, $count, $userTimeoutMs] = $values;
        // -1 leaves a value, 0 is written as what the system has at this moment.
        $this->interval = [-1 => $this->interval, 0 => $this->system[1]][$interval] ?? $interval;
        $this->count = [-1 => $this->count, 0 => $this->system[2]][$count] ?? $count;
        $this->idle = [-1 => $this->idle, 0 => $this->system[0]][$idle] ?? $idle;
        $this->userTimeout = $userTimeoutMs !== null ? $userTimeoutMs / 1000 : $this->userTimeout;
        if (!$this->isEstablished) {
            return;
        }
        if (!$this->on) {
            $this->keepaliveTimer = $now + $this->idle; // from now, not from when the peer was heard
        } elseif ($idle >= 0) {
            // Of the values, only writing the idle time arms the timer anew.
            $this->keepaliveTimer = max($now, $this->heard + $this->idle);
        }
        $this->on = true;
    }

    private function system(float $now, string $idle, string $interval, string $count): void
    {
        $this->system = [(int) $idle, (int) $interval, (int) $count];
    }

    private function disable(): void
    {
        $this->on = false;
        $this->keepaliveTimer = null; // and the count of unanswered probes stays
    }

    private function write(float $now): void
    {
        if (!$this->isAnswered($now) && $this->retransmissionTimer === null) {
            $this->retransmissionTimer = $now + self::RTO;
            $this->softError = self::ICMP_ERRORS[$this->network] ?? $this->softError;
        }
    }

    private function fill(float $now): void
    {
        $this->windowIsClosed = true;
        $this->backoff = self::RTO;
        $this->retransmissionTimer = $now + self::RTO;
    }

    /** A connection takes what the listener has when it arrives, and keeps it. */
    private function listen(float $now, string ...$arguments): void
    {
        if (!$this->isEstablished) {
            $this->set($now, Scenario::values('listen', $arguments));
        }
    }

    private function connect(float $now): void
    {
        $this->isEstablished = $this->on = true;
        $this->heard = $now;
        $this->keepaliveTimer = $now + $this->idle;
    }

    private function accept(): void
    {
    }

    private function ask(float $now, string $what): void
    {
        $this->end($now, $what === 'reset' ? SOCKET_ECONNRESET : 0);
    }

    private function cut(): void
    {
        $this->network = 'silent';
    }

    private function reject(float $now, string $reason): void
    {
        $this->network = $reason;
    }

    private function vanish(): void
    {
        $this->network = 'vanished';
    }

    private function unplug(): void
    {
        $this->network = 'unplugged';
    }

    private function down(): void
    {
        $this->network = 'down';
        if ($this->ip === 6) { // IPv4 keeps to itself that it has no route
            $this->softError = SOCKET_ENETUNREACH;
        }
    }

    private function restore(): void
    {
        $this->network = 'up';
    }

    private function reboot(): void
    {
        $this->network = 'rebooted';
    }
}
