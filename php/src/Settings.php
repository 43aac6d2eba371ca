<?php

declare(strict_types=1);

namespace Keepalive;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Internal\Php;
use Keepalive\Internal\Values;

use function intdiv;
use function is_int;
use function min;

/**
 * Keepalive settings: those to set, or those that the kernel reports. Immutable.
 */
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

    /** Settings to set.
     *
     * Each of the first three can also be Keepalive::SYSTEM_DEFAULT or Keepalive::UNCHANGED. The upper limits are
     * Linux's; other systems have none.
     *
     * @param int $idle seconds without anything from the peer before the first probe, 1 to 32767
     * @param int $interval seconds from one unanswered probe to the next, 1 to 32767
     * @param int $count unanswered probes after which the connection is given up, 1 to 127
     * @param int|null $userTimeoutMs TCP_USER_TIMEOUT, milliseconds that sent data may stay
     *     unacknowledged, 0 to 2147483647; 0 is the kernel's own limit, null leaves it unchanged
     *
     * @throws InvalidArgumentException a value is not an int, or out of range
     */
    public static function of($idle, $interval, $count, $userTimeoutMs = null): self
    {
        Values::check($idle, $interval, $count, $userTimeoutMs);
        return new self(true, $idle, $interval, $count, $userTimeoutMs);
    }

    /**
     * The promise: the program is told of a dead peer within this many seconds, whatever it does. The time counts from
     * the moment that the peer falls silent. The promise is kept when the program waits, writes at any moment, writes
     * again, with TLS or without, and with a round trip of up to 200 ms.
     *
     * Half of the time, less the delays of the kernel's timers, is for silence and probes. The other half is for data
     * that is written to a peer already dead, because such data stops the probes and starts the user timeout. The
     * price: an outage of half of that time ends a connection that has data in flight. So does a peer that is alive but
     * keeps its receive window closed for so long.
     *
     * The numbers are the same as those of the C library's ka_detect_within().
     *
     * @param int $seconds 6 to 14400 (four hours)
     *
     * @throws InvalidArgumentException not an int, or out of range
     */
    public static function detectWithin($seconds): self
    {
        if (!is_int($seconds) || $seconds < 6 || $seconds > 14400) {
            throw new InvalidArgumentException(sprintf(
                'seconds must be an int from 6 to 14400; %s was given.',
                Php::describe($seconds)
            ));
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

    /** From the output of var_export().
     *
     * @param array<string, mixed> $values
     *
     * @throws InvalidArgumentException one of them cannot be a value of a socket
     */
    public static function __set_state(array $values): self
    {
        $settings = new self(
            $values['enabled'],
            $values['idle'],
            $values['interval'],
            $values['count'],
            $values['userTimeoutMs']
        );
        $settings->__wakeup();
        return $settings;
    }

    /**
     * Checks the values, because unserialize() can be given anything.
     *
     * @throws InvalidArgumentException one of them cannot be a value of a socket
     */
    public function __wakeup(): void
    {
        foreach ([$this->idle, $this->interval, $this->count, $this->userTimeoutMs ?? 0] as $value) {
            if ($value < Values::UNCHANGED || $value > Values::MAX_INT) {
                throw new InvalidArgumentException("A value of a socket is -1 to 2147483647; $value was given.");
            }
        }
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

    /**
     * TCP_USER_TIMEOUT in milliseconds, 0 being the kernel's own limit; null if it is to stay unchanged, or the system
     * has none.
     */
    public function userTimeoutMs(): ?int
    {
        return $this->userTimeoutMs;
    }

    /**
     * Seconds after which an idle connection is given up, with keepalive on; null if one of the values is
     * Keepalive::SYSTEM_DEFAULT or Keepalive::UNCHANGED.
     *
     * That is idle + interval x count, or max(idle, interval) + interval x count, because an answered probe
     * is followed by the next one after the longer of the two. On Linux a user timeout replaces the count: see
     * disagreement(). Data written to a peer already dead starts the clock of the user timeout: only
     * detectWithin() limits the two together.
     */
    public function detectionSeconds(): ?int
    {
        if (min($this->idle, $this->interval, $this->count) < 1) {
            return null;
        }
        return max($this->idle, $this->interval) + $this->interval * $this->probes();
    }

    /**
     * A sentence if the user timeout and the count disagree, else null.
     *
     * On Linux a user timeout replaces the count: an idle connection ends when the next probe is due, the peer has been
     * silent for that long, and a probe is unanswered.
     */
    public function disagreement(): ?string
    {
        $seconds = $this->detectionSeconds();
        if (!$this->enabled || $seconds === null || $this->probes() === $this->count) {
            return null;
        }
        return sprintf(
            'The user timeout of %s s replaces the count of %d: an idle connection whose peer is gone ends after '
            . '%d s (unanswered probes: %d), not after %d s.',
            $this->userTimeoutMs / 1000,
            $this->count,
            $seconds,
            $this->probes(),
            max($this->idle, $this->interval) + $this->interval * $this->count
        );
    }

    /**
     * Whether applying these would change a socket that has $current. Setting the idle time while probes are unanswered
     * sends one more, which counts. So code that sets sockets repeatedly checks this first.
     *
     * @internal
     *
     * @param callable(): self $defaults for SYSTEM_DEFAULT
     */
    public function wouldChange(self $current, callable $defaults): bool
    {
        $wanted = $this->toArray();
        if (in_array(Values::SYSTEM_DEFAULT, [$this->idle, $this->interval, $this->count], true)) {
            $system = array_diff_key($defaults()->toArray(), ['enabled' => 0, 'userTimeoutMs' => 0]);
            foreach ($system as $name => $value) {
                $wanted[$name] = $wanted[$name] === Values::SYSTEM_DEFAULT ? $value : $wanted[$name];
            }
        }
        foreach ($current->toArray() as $name => $value) {
            if ($wanted[$name] !== $value && $wanted[$name] !== Values::UNCHANGED && $wanted[$name] !== null) {
                return true;
            }
        }
        return false;
    }

    /** @return array{enabled: bool, idle: int, interval: int, count: int, userTimeoutMs: int|null} */
    public function toArray(): array
    {
        return [
            'enabled' => $this->enabled,
            'idle' => $this->idle,
            'interval' => $this->interval,
            'count' => $this->count,
            'userTimeoutMs' => $this->userTimeoutMs,
        ];
    }

    /** @return array{enabled: bool, idle: int, interval: int, count: int, userTimeoutMs: int|null} */
    public function jsonSerialize(): array
    {
        return $this->toArray();
    }

    /** How many probes stay unanswered before an idle connection ends. */
    private function probes(): int
    {
        $userTimeout = (int) $this->userTimeoutMs / 1000;
        if ($userTimeout <= 0) {
            return $this->count;
        }
        $afterTheFirst = $userTimeout - max($this->idle, $this->interval);
        return max(1, (int) ceil($afterTheFirst / $this->interval));
    }
}
