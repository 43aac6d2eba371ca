<?php

declare(strict_types=1);

namespace DeadPeer;

/**
 * What Linux's rules for keepalive and the user timeout (net/ipv4/tcp_timer.c) say will happen.
 *
 * It goes through a scenario as the kernel would, with the same few variables. Times are seconds
 * after the network changed. It knows nothing of measurements.
 */
final class KernelRules
{
    /** The shortest retransmission timeout, TCP_RTO_MIN. */
    private const SHORTEST_TIMEOUT = 0.2;

    /** Timeouts are rounded up by this, because they are counted in ticks. */
    private const TICK = 0.004;

    /** Segments that may be in flight: the initial congestion window. */
    private const WINDOW = 10;

    /** Each retransmission waits twice as long as the one before, up to this many seconds. */
    private const LONGEST_BACKOFF = 120;

    /** Seconds of retransmitting without a user timeout: what tcp_retries2 = 15 amounts to. */
    private const RETRIES_END = 924.6;

    /** The error that data in flight will end with, after an ICMP message. */
    private const ICMP_ERRORS = [
        'host-unreachable' => SOCKET_EHOSTUNREACH,
        'no-route' => SOCKET_ENETUNREACH,
        'port-unreachable' => SOCKET_ECONNREFUSED,
        'vanished' => SOCKET_EHOSTUNREACH, // from the near host itself, when ARP fails after 3 s
    ];

    /** Networks that probes do not reach: they wait for ARP, or for a link. */
    private const NOTHING_LEAVES = ['vanished', 'unplugged', 'down'];

    /** @var float[] when probes leave */
    public array $probes = [];

    /** When the connection ends, null while it does not. */
    public ?float $dies = null;

    /** When the program is told: later than that, if the connection waits in the listener's queue. */
    public ?float $seen = null;

    /** The errno it ends with; 0 for an orderly end. */
    public int $error = 0;

    /** When anything last came from the peer, pure acknowledgements included. */
    public float $heard = 0;

    /** @var array{int, int, int} idle, interval, count that a fresh socket has */
    private array $system = [7200, 75, 9];
    private bool $on = false;
    private float $idle = 7200;
    private float $interval = 75;
    private int $count = 9;

    /** In seconds here; 0 for none. */
    private float $userTimeout = 0;

    /** Probes since the peer was heard. */
    private int $unanswered = 0;

    private ?float $keepaliveTimer = null;

    /**
     * Bytes, from the connection's beginning: the program's, those that have left, and those that
     * the peer has acknowledged.
     */
    private int $written = 0;
    private int $sent = 0;
    private int $acknowledged = 0;

    /** Segments that are not acknowledged, and when the oldest of them last left. */
    private int $segments = 0;
    private float $oldestLeft = 0;

    /** Runs while data is in flight, or waits for the peer to open its window. */
    private ?float $sendTimer = null;

    /** What it is for: 'loss probe', 'retransmission', or 'window'. */
    private string $sendTimerIsFor = '';
    private bool $lossProbeIsOut = false;
    private float $backoff = 0;

    /** When retransmitting began; the tail loss probe that precedes it does not count. */
    private ?float $retransmitting = null;

    private bool $isEstablished;
    private string $network = 'up';
    private int $softError = SOCKET_ETIMEDOUT;
    private int $ip;
    private Lateness $late;

    /** From a segment's leaving to its answer. */
    private float $roundTrip = 0.0001;

    /** Allowance for its variation. */
    private float $variation = self::SHORTEST_TIMEOUT;

    /** TCP_NODELAY: small segments are sent while others are not acknowledged. */
    private bool $noDelay;

    /** @var array<int, array{float, int}> segments on their way to the far host: when they are there, and the byte they end with */
    private array $going = [];

    /** @var array<int, array{float, int}> and acknowledgements on their way back */
    private array $coming = [];

    /** After how many seconds a NAT on the way forgets, and when a segment last passed it. */
    private float $natForgets = INF;
    private float $passedNat = 0;

    /**
     * @param array{ip?: int, tls?: bool, noDelay?: bool} $case IP version 4 or 6, TLS, and TCP_NODELAY
     */
    public function __construct(Scenario $scenario, float $horizon, array $case = [], ?Lateness $late = null)
    {
        $this->ip = $case['ip'] ?? 4;
        $this->noDelay = $case['noDelay'] ?? false;
        $this->late = $late ?? Lateness::none();
        $this->isEstablished = !$scenario->has('connect');
        $steps = $scenario->steps;
        while (in_array($steps[0]['do'], ['delay', 'nat'], true)) {
            $step = array_shift($steps);
            $this->{$step['do']}($step['at'], ...$step['arguments']);
        }
        if ($case['tls'] ?? false) { // whose handshake has sent data
            $this->measureRoundTrip();
            $this->measureRoundTrip();
        }
        $this->heard = $this->passedNat = $steps[0]['at'];
        while ($this->dies === null) {
            $goes = $this->going[0][0] ?? INF;
            $comes = $this->coming[0][0] ?? INF;
            $event = min($this->keepaliveTimer ?? INF, $this->sendTimer ?? INF, $goes, $comes, $horizon);
            if ($steps !== [] && $steps[0]['at'] <= $event) {
                $step = array_shift($steps);
                $this->{$step['do']}($step['at'], ...$step['arguments']);
            } elseif ($event >= $horizon) {
                break;
            } elseif ($event === $comes) {
                $this->hear($event, array_shift($this->coming)[1]);
            } elseif ($event === $goes) {
                $this->arrive($event, array_shift($this->going)[1]);
            } elseif ($event === $this->keepaliveTimer) {
                $this->keepaliveTimerFires($event);
            } else {
                $this->sendTimerFires($event);
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
        if ($this->written > $this->acknowledged) {
            $this->keepaliveTimer = $this->late->fires($now, $this->idle); // neither probes nor ends anything
        } elseif ($silence < $this->idle) {
            $this->keepaliveTimer = $this->late->fires($now, $this->idle - $silence);
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
        $this->keepaliveTimer = $this->late->fires($now, $this->interval);
        $this->unanswered++;
        $this->leave($now);
    }

    private function sendTimerFires(float $now): void
    {
        switch ($this->sendTimerIsFor) {
            case 'loss probe':
                $this->sendLossProbe($now);
                break;
            case 'retransmission':
                $this->retransmit($now);
                break;
            default:
                $this->probeWindow($now);
        }
    }

    /** How long the first retransmission waits. */
    private function timeout(): float
    {
        return $this->roundTrip + $this->variation + self::TICK;
    }

    /** tcp_rtt_estimator(): the allowance is twice the first round trip, and less with each. */
    private function measureRoundTrip(): void
    {
        $this->variation -= ($this->variation - self::SHORTEST_TIMEOUT) / 4;
    }

    private function startSendTimer(float $now, string $for, float $seconds): void
    {
        $this->sendTimerIsFor = $for;
        $this->sendTimer = $this->late->fires($now, $seconds);
    }

    /** The part of the program's data that may leave now: with Nagle's rule, nothing while some is in flight. */
    private function send(float $now): void
    {
        $most = $this->noDelay && $this->retransmitting === null ? self::WINDOW : 1;
        if ($this->sent === $this->written || $this->segments >= $most) {
            return;
        }
        $this->segments++;
        $this->oldestLeft = $this->segments === 1 ? $now : $this->oldestLeft;
        $this->sent = $this->written;
        $this->leave($now);
        $this->softError = self::ICMP_ERRORS[$this->network] ?? $this->softError;
        if ($this->retransmitting === null) {
            $this->scheduleLossProbe($now);
        }
    }

    /** tcp_schedule_loss_probe(): two round trips, and time for a delayed acknowledgement. */
    private function scheduleLossProbe(float $now): void
    {
        $wait = 2 * $this->roundTrip + ($this->segments === 1 ? self::SHORTEST_TIMEOUT + self::TICK : 2 * self::TICK);
        $timeout = $this->oldestLeft + $this->timeout() - $now;
        $this->startSendTimer($now, 'loss probe', $timeout > 0 ? min($wait, $timeout) : $wait);
    }

    /** tcp_send_loss_probe(): what waited, or else the last segment once more; once. */
    private function sendLossProbe(float $now): void
    {
        if ($this->lossProbeIsOut) {
            $this->startSendTimer($now, 'retransmission', $this->oldestLeft + $this->timeout() - $now);
            return;
        }
        $this->lossProbeIsOut = true;
        if ($this->sent < $this->written) {
            $this->sent = $this->written;
            $this->segments++;
        } elseif ($this->segments === 1) {
            $this->oldestLeft = $now;
        }
        $this->leave($now);
        $this->startSendTimer($now, 'retransmission', $this->timeout());
    }

    /** tcp_retransmit_timer(). The user timeout's clock starts here, with the first one. */
    private function retransmit(float $now): void
    {
        $started = $this->retransmitting ?? $now;
        $limit = $this->userTimeout > 0 ? $this->userTimeout : self::RETRIES_END;
        if ($this->retransmitting !== null && round($now - $started, 6) >= $limit) {
            $this->end($now, $this->softError);
            return;
        }
        $this->retransmitting = $started;
        $this->leave($now);
        $this->backoff = min($this->backoff > 0 ? 2 * $this->backoff : 2 * $this->timeout(), self::LONGEST_BACKOFF);
        $left = $this->userTimeout > 0 ? $started + $this->userTimeout - $now : INF;
        $this->startSendTimer($now, 'retransmission', min($this->backoff, $left));
    }

    /** tcp_probe_timer(), for a window that never opens here. */
    private function probeWindow(float $now): void
    {
        $this->retransmitting = $this->retransmitting ?? $now;
        if ($this->userTimeout > 0 && round($now - $this->retransmitting, 6) >= $this->userTimeout) {
            $this->end($now, $this->softError);
            return;
        }
        $this->heard = $now;
        $this->backoff = min($this->backoff > 0 ? 2 * $this->backoff : 2 * $this->timeout(), self::LONGEST_BACKOFF);
        $left = $this->userTimeout > 0 ? $this->retransmitting + $this->userTimeout - $now : INF;
        $this->startSendTimer($now, 'window', min($this->backoff, $left));
    }

    /** A segment, with data or without, leaves the near host. */
    private function leave(float $now): void
    {
        if ($now - $this->passedNat > $this->natForgets) {
            $this->network = 'silent'; // and accepts only packets that begin a connection
        }
        $this->passedNat = $now;
        $this->going[] = [$now + $this->roundTrip / 2, $this->sent];
    }

    /** ... and arrives at the far host. */
    private function arrive(float $now, int $end): void
    {
        if ($this->network === 'up') {
            $this->coming[] = [$now + $this->roundTrip / 2, $end];
        } elseif ($this->network === 'rebooted') {
            $this->end($now + $this->roundTrip / 2, SOCKET_ECONNRESET);
        }
    }

    /** tcp_ack(). */
    private function hear(float $now, int $acknowledged): void
    {
        $this->heard = $this->passedNat = $now;
        $this->unanswered = 0;
        if ($acknowledged <= $this->acknowledged) {
            return;
        }
        $this->acknowledged = $acknowledged;
        $this->measureRoundTrip();
        $this->backoff = 0;
        $this->retransmitting = null;
        $this->lossProbeIsOut = false;
        $this->segments = $acknowledged === $this->sent ? 0 : 1;
        $this->sendTimer = null;
        if ($this->segments > 0) {
            $this->startSendTimer($now, 'retransmission', $this->timeout());
        }
        $this->send($now);
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
            $this->keepaliveTimer = $this->late->fires($now, $this->idle); // not from when the peer was heard
        } elseif ($idle >= 0) {
            // Of the values, only writing the idle time restarts the timer.
            $this->keepaliveTimer = $this->late->fires($now, $this->heard + $this->idle - $now);
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
        $this->written++;
        $this->send($now);
    }

    private function fill(float $now): void
    {
        $this->written++; // which cannot leave
        $this->startSendTimer($now, 'window', $this->timeout());
    }

    private function wait(): void
    {
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
        $this->keepaliveTimer = $this->late->fires($now, $this->idle);
    }

    private function accept(): void
    {
    }

    private function ask(float $now, string $what): void
    {
        $this->end($now, $what === 'reset' ? SOCKET_ECONNRESET : 0);
    }

    private function delay(float $now, string $milliseconds): void
    {
        $this->roundTrip += 2 * $milliseconds / 1000;
        $this->variation = max(self::SHORTEST_TIMEOUT, 2 * $this->roundTrip);
    }

    /** By chance: there is no rule for the result. */
    private function lose(): void
    {
    }

    private function nat(float $now, string $seconds): void
    {
        $this->natForgets = (float) $seconds;
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
        if ($this->ip === 6) { // IPv4 does not report that it has no route
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
