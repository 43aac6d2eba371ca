<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\InvalidArgumentException;

use function is_int;

use const PHP_OS_FAMILY;

/**
 * The values that may be set. They are not in Settings, because Keepalive::enable() does not need that class and
 * loading one takes time.
 *
 * @internal
 */
final class Values
{
    public const SYSTEM_DEFAULT = 0;
    public const UNCHANGED = -1;

    /** Largest int of C. */
    public const MAX_INT = 0x7FFFFFFF;

    /** What the kernel accepts; other systems than Linux take any int of C. */
    public const MAX_SECONDS = PHP_OS_FAMILY === 'Linux' ? 32767 : self::MAX_INT;
    public const MAX_COUNT = PHP_OS_FAMILY === 'Linux' ? 127 : self::MAX_INT;

    /**
     * @param mixed $idle
     * @param mixed $interval
     * @param mixed $count
     * @param mixed $userTimeoutMs
     *
     * @throws InvalidArgumentException as Settings::of()
     */
    public static function check($idle, $interval, $count, $userTimeoutMs): void
    {
        if (!is_int($idle) || $idle < self::UNCHANGED || $idle > self::MAX_SECONDS) {
            throw self::outOfRange('idle', $idle, self::MAX_SECONDS, 'seconds');
        }
        if (!is_int($interval) || $interval < self::UNCHANGED || $interval > self::MAX_SECONDS) {
            throw self::outOfRange('interval', $interval, self::MAX_SECONDS, 'seconds');
        }
        if (!is_int($count) || $count < self::UNCHANGED || $count > self::MAX_COUNT) {
            throw self::outOfRange('count', $count, self::MAX_COUNT, 'probes');
        }
        if ($userTimeoutMs !== null && (!is_int($userTimeoutMs) || $userTimeoutMs < 0 || $userTimeoutMs > self::MAX_INT)) {
            throw new InvalidArgumentException(sprintf(
                'userTimeoutMs must be an int from 0 to %d (milliseconds), or null to leave it unchanged; %s was given.',
                self::MAX_INT,
                Php::describe($userTimeoutMs)
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
            Php::describe($value)
        ));
    }
}
