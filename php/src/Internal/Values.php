<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\InvalidArgumentException;

/** The values that may be set. Not in Settings, which enable() does not need: to load a class takes time. */
final class Values
{
    public const SYSTEM_DEFAULT = 0;
    public const UNCHANGED = -1;

    /** Largest int of C. */
    public const MAX_INT = 0x7FFFFFFF;

    /** What the kernel accepts; other systems than Linux take any int of C. */
    public const MAX_SECONDS = PHP_OS_FAMILY === 'Linux' ? 32767 : self::MAX_INT;
    public const MAX_COUNT = PHP_OS_FAMILY === 'Linux' ? 127 : self::MAX_INT;

    /** @throws InvalidArgumentException as Settings::of() */
    public static function check($idle, $interval, $count, $userTimeoutMs): void
    {
        if (!\is_int($idle) || $idle < self::UNCHANGED || $idle > self::MAX_SECONDS) {
            throw self::outOfRange('idle', $idle, self::MAX_SECONDS, 'seconds');
        }
        if (!\is_int($interval) || $interval < self::UNCHANGED || $interval > self::MAX_SECONDS) {
            throw self::outOfRange('interval', $interval, self::MAX_SECONDS, 'seconds');
        }
        if (!\is_int($count) || $count < self::UNCHANGED || $count > self::MAX_COUNT) {
            throw self::outOfRange('count', $count, self::MAX_COUNT, 'probes');
        }
        $isInRange = \is_int($userTimeoutMs) && $userTimeoutMs >= 0 && $userTimeoutMs <= self::MAX_INT;
        if ($userTimeoutMs !== null && !$isInRange) {
            $what = 'userTimeoutMs must be an int from 0 to 2147483647 (milliseconds), or null to leave it unchanged';
            throw InvalidArgumentException::expected($what, $userTimeoutMs);
        }
    }

    private static function outOfRange(string $name, $value, int $max, string $unit): InvalidArgumentException
    {
        $special = 'Keepalive::SYSTEM_DEFAULT (0) or Keepalive::UNCHANGED (-1)';
        return InvalidArgumentException::expected("$name must be an int from 1 to $max ($unit), $special", $value);
    }
}
