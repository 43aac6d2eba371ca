<?php

declare(strict_types=1);

namespace Keepalive;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Internal\Given;

use function is_int;

/**
 * Keepalive settings: what to ask for, or what the kernel says is in effect. Immutable.
 */
final class Settings
{
    /** @internal What the kernel accepts; other systems than Linux take any int of C. */
    public const MAX_SECONDS = PHP_OS_FAMILY === 'Linux' ? 32767 : 0x7FFFFFFF;
    /** @internal */
    public const MAX_COUNT = PHP_OS_FAMILY === 'Linux' ? 127 : 0x7FFFFFFF;

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
     * Settings to ask for.
     *
     * Each of the first three can also be Keepalive::SYSTEM_DEFAULT or Keepalive::UNCHANGED. The
     * upper ends are Linux's; other systems have none.
     *
     * @param int $idle seconds without anything from the peer before the first probe, 1 to 32767
     * @param int $interval seconds from one unanswered probe to the next, 1 to 32767
     * @param int $count unanswered probes after which the connection is given up, 1 to 127
     * @param int|null $userTimeoutMs TCP_USER_TIMEOUT, milliseconds that sent data may stay
     *     unacknowledged, 0 to 2147483647; 0 is the kernel's own limit, null leaves it unchanged
     *
     * @throws InvalidArgumentException a value is no int, or out of range
     */
    public static function of($idle, $interval, $count, $userTimeoutMs = null): self
    {
        self::check($idle, $interval, $count, $userTimeoutMs);
        return new self(true, $idle, $interval, $count, $userTimeoutMs);
    }

    /**
     * Settings that notice a dead peer within this many seconds, whether the connection is idle
     * or has data in flight. The seconds count from the last thing that the peer sent, or from the
     * first data that it did not acknowledge: data written to a peer already dead starts them anew,
     * once.
     *
     * Half the time passes in silence, at most two minutes so that no NAT or load balancer on the
     * way forgets the connection (Azure's, the most forgetful, does after four); the rest is
     * divided between 6 probes, 3 below a minute, 2 for three seconds. The user timeout is the
     * whole time; a peer that keeps its receive window closed that long is dropped too.
     *
     * @param int $seconds 3 to 86400 (a day)
     *
     * @throws InvalidArgumentException no int, or out of range
     */
    public static function detectWithin($seconds): self
    {
        if (!is_int($seconds) || $seconds < 3 || $seconds > 86400) {
            throw new InvalidArgumentException(sprintf(
                'seconds must be an int from 3 to 86400; %s was given.',
                Given::describe($seconds)
            ));
        }
        $count = $seconds === 3 ? 2 : ($seconds < 60 ? 3 : 6);
        $half = (int) round($seconds / (2 * $count));
        $keepsNatAlive = (int) ceil(($seconds - 120) / $count);
        $interval = max(1, $half, $keepsNatAlive);
        return self::of($seconds - $interval * $count, $interval, $count, $seconds * 1000);
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
     * TCP_USER_TIMEOUT in milliseconds, 0 being the kernel's own limit; null where it is not asked
     * for, or the system has none.
     */
    public function userTimeoutMs(): ?int
    {
        return $this->userTimeoutMs;
    }

    /**
     * Seconds after which a silent peer is given up on an idle connection: idle + interval x count;
     * null where one of them is Keepalive::SYSTEM_DEFAULT or Keepalive::UNCHANGED.
     */
    public function detectionSeconds(): ?int
    {
        if (min($this->idle, $this->interval, $this->count) < 1) {
            return null;
        }
        return $this->idle + $this->interval * $this->count;
    }

    /**
     * A sentence where the user timeout and idle + interval x count disagree, else null.
     *
     * On Linux a user timeout replaces the count: an idle connection ends with the first probe's
     * turn, after the first unanswered one, that finds the peer silent for that long.
     */
    public function disagreement(): ?string
    {
        $seconds = $this->detectionSeconds();
        if (!$this->enabled || $seconds === null || (int) $this->userTimeoutMs === 0) {
            return null;
        }
        $userTimeout = $this->userTimeoutMs / 1000;
        $probes = max(1, (int) ceil(($userTimeout - $this->idle) / $this->interval));
        $ends = $this->idle + $this->interval * $probes;
        if ($ends === $seconds) {
            return null;
        }
        return sprintf(
            'The user timeout of %s s replaces the count of %d: an idle connection whose peer is gone ends after '
            . '%d s (unanswered probes: %d), not after idle + interval x count = %d s.',
            $userTimeout,
            $this->count,
            $ends,
            $probes,
            $seconds
        );
    }

    /**
     * @internal
     *
     * @param mixed $idle
     * @param mixed $interval
     * @param mixed $count
     * @param mixed $userTimeoutMs
     *
     * @throws InvalidArgumentException as of()
     */
    public static function check($idle, $interval, $count, $userTimeoutMs): void
    {
        if (!is_int($idle) || $idle < Keepalive::UNCHANGED || $idle > self::MAX_SECONDS) {
            throw self::outOfRange('idle', $idle, self::MAX_SECONDS, 'seconds');
        }
        if (!is_int($interval) || $interval < Keepalive::UNCHANGED || $interval > self::MAX_SECONDS) {
            throw self::outOfRange('interval', $interval, self::MAX_SECONDS, 'seconds');
        }
        if (!is_int($count) || $count < Keepalive::UNCHANGED || $count > self::MAX_COUNT) {
            throw self::outOfRange('count', $count, self::MAX_COUNT, 'probes');
        }
        if ($userTimeoutMs !== null && (!is_int($userTimeoutMs) || $userTimeoutMs < 0 || $userTimeoutMs > 0x7FFFFFFF)) {
            throw new InvalidArgumentException(sprintf(
                'userTimeoutMs must be an int from 0 to %d (milliseconds), or null to leave it unchanged; %s was given.',
                0x7FFFFFFF,
                Given::describe($userTimeoutMs)
            ));
        }
    }

    /** @param mixed $value */
    private static function outOfRange(string $name, $value, int $max, string $unit): InvalidArgumentException
    {
        return new InvalidArgumentException(sprintf(
            '%s must be an int from 1 to %d (%s), Keepalive::SYSTEM_DEFAULT (0) or Keepalive::UNCHANGED (-1); '
            . '%s was given.',
            $name,
            $max,
            $unit,
            Given::describe($value)
        ));
    }
}
