<?php

declare(strict_types=1);

namespace Keepalive;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Internal\Values;

/** Keepalive settings: those to set, or those that the kernel reports. Immutable. */
final class Settings implements \JsonSerializable
{
    private bool $enabled;
    private int $idle;
    private int $interval;
    private int $count;
    private ?int $userTimeoutMs;

    /** @internal Settings::of() and Keepalive::settings() make these. */
    public function __construct(bool $enabled, int $idle, int $interval, int $count, ?int $userTimeoutMs)
    {
        $this->enabled = $enabled;
        $this->idle = $idle;
        $this->interval = $interval;
        $this->count = $count;
        $this->userTimeoutMs = $userTimeoutMs;
    }

    /**
     * Settings to set. Each of the first three can also be Keepalive::SYSTEM_DEFAULT or Keepalive::UNCHANGED. The upper
     * limits are Linux's; other systems have none.
     *
     * @param int $idle seconds without anything from the peer before the first probe, 1 to 32767
     * @param int $interval seconds from one unanswered probe to the next, 1 to 32767
     * @param int $count unanswered probes after which the connection is given up, 1 to 127
     * @param int|null $userTimeoutMs TCP_USER_TIMEOUT, milliseconds that sent data may stay unacknowledged, 0 to
     *     2147483647; 0 is the kernel's own limit, null leaves it unchanged
     * @throws InvalidArgumentException a value is not an int, or out of range
     */
    public static function of($idle, $interval, $count, $userTimeoutMs = null): self
    {
        Values::check($idle, $interval, $count, $userTimeoutMs);
        return new self(true, $idle, $interval, $count, $userTimeoutMs);
    }

    /**
     * The promise: the program is told of a dead peer within this many seconds from the moment that the peer falls
     * silent, whatever the program does: wait, write at any moment, write again, with TLS or without, with a round trip
     * of up to 200 ms. The numbers are those of the C library's ka_detect_within().
     *
     * Half of the time, less the delays of the kernel's timers, is for silence and probes. The other half is for data
     * that is written to a peer already dead, because such data stops the probes and starts the user timeout. The
     * price: an outage of half of that time ends a connection that has data in flight. So does a peer that is alive but
     * keeps its receive window closed for so long.
     *
     * @param int $seconds 6 to 14400 (four hours)
     * @throws InvalidArgumentException not an int, or out of range
     */
    public static function detectWithin($seconds): self
    {
        if (!\is_int($seconds) || $seconds < 6 || $seconds > 14400) {
            throw InvalidArgumentException::expected('seconds must be an int from 6 to 14400', $seconds);
        }
        // core/src/promise.rs says why.
        $half = intdiv(($seconds * 1000 - 1200) * 2, 4375);
        if ($half === 2) {
            return new self(true, 2, 1, 1, 1300);
        }
        $interval = min(intdiv($half + 7, 8), 60);
        $count = intdiv($half, $interval) - 1;
        return new self(true, $half - $interval * $count, $interval, $count, $half * 1000);
    }

    /** From the output of var_export(). @param array<string, mixed> $values */
    public static function __set_state(array $values): self
    {
        return new self(...array_values($values)); // in the order of the properties
    }

    /** Whether keepalive is on. */
    public function enabled(): bool
    {
        return $this->enabled;
    }

    /** TCP_KEEPIDLE: seconds without anything from the peer before the first probe. */
    public function idle(): int
    {
        return $this->idle;
    }

    /** TCP_KEEPINTVL: seconds from one unanswered probe to the next. */
    public function interval(): int
    {
        return $this->interval;
    }

    /** TCP_KEEPCNT: unanswered probes after which the connection is given up. */
    public function count(): int
    {
        return $this->count;
    }

    /** TCP_USER_TIMEOUT in milliseconds, 0 being the kernel's own limit; null: it stays unchanged, or there is none. */
    public function userTimeoutMs(): ?int
    {
        return $this->userTimeoutMs;
    }

    /**
     * Seconds after which an idle connection is given up, with keepalive on; null if one of the values is
     * Keepalive::SYSTEM_DEFAULT or Keepalive::UNCHANGED.
     *
     * That is max(idle, interval) + interval x count: an answered probe is followed by the next one after the longer of
     * the two. On Linux a user timeout replaces the count: the connection ends when the next probe is due, the peer has
     * been silent for that long, and a probe is unanswered. Data written to a peer already dead starts the clock of the
     * user timeout: only detectWithin() limits the two together.
     */
    public function detectionSeconds(): ?int
    {
        if (min($this->idle, $this->interval, $this->count) < 1) {
            return null;
        }
        $first = max($this->idle, $this->interval);
        $timeout = (int) $this->userTimeoutMs / 1000;
        $probes = $timeout > 0 ? max(1, (int) ceil(($timeout - $first) / $this->interval)) : $this->count;
        return $first + $this->interval * $probes;
    }

    /** @return array<string, int> what is to be set, by option, in the order of ka_apply() @internal */
    public function options(): array
    {
        return array_diff([
            'TCP_USER_TIMEOUT' => $this->userTimeoutMs ?? Values::UNCHANGED,
            'TCP_KEEPINTVL' => $this->interval,
            'TCP_KEEPCNT' => $this->count,
            'TCP_KEEPIDLE' => $this->idle,
            'SO_KEEPALIVE' => (int) $this->enabled,
        ], [Values::UNCHANGED]);
    }

    /** @return array{enabled: bool, idle: int, interval: int, count: int, userTimeoutMs: int|null} */
    public function toArray(): array
    {
        return get_object_vars($this);
    }

    /** As toArray(). */
    public function jsonSerialize(): array
    {
        return $this->toArray();
    }
}
