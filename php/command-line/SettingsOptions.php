<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Settings;

/**
 * The options that say what to set: --within, or --idle, --interval and --count with --user-timeout.
 *
 * @internal
 */
final class SettingsOptions
{
    /** For Arguments. */
    public const KINDS = ['within' => 1, 'idle' => 1, 'interval' => 1, 'count' => 1, 'user-timeout' => 0];

    public const HELP = <<<'HELP'
          --within SECONDS     a dead peer is noticed within 6 to 14400 seconds,
                               whatever the program does meanwhile; or the values:
          --idle SECONDS       silence before the first probe
          --interval SECONDS   from one probe to the next
          --count PROBES       unanswered, until the kernel gives up
          --user-timeout MS    that sent data may stay unacknowledged; 0 is the kernel's
                               own limit; left as it is if not given

        HELP;

    /** @throws UsageError */
    public static function settings(string $command, Arguments $arguments): Settings
    {
        $given = $arguments->options;
        $values = array_intersect_key($given, self::KINDS);
        try {
            if (isset($given['within']) && count($values) === 1) {
                return Settings::detectWithin($given['within']);
            }
            if (isset($given['idle'], $given['interval'], $given['count']) && !isset($given['within'])) {
                return Settings::of($given['idle'], $given['interval'], $given['count'], $given['user-timeout'] ?? null);
            }
        } catch (InvalidArgumentException $wrong) {
            throw new UsageError((isset($given['within']) ? '--within: ' : '') . $wrong->getMessage());
        }
        throw new UsageError("$command takes --within alone, or --idle, --interval and --count together.");
    }
}
