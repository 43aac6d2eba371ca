<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Internal\Values;
use Keepalive\Settings;

/**
 * The options that say what to set: --within, or --idle, --interval and --count with --user-timeout.
 *
 * @internal
 */
final class SettingsOptions
{
    /** For Arguments; `keepalive watch` takes these, too. */
    public const PROBES = [
        'idle' => [1, Values::MAX_SECONDS],
        'interval' => [1, Values::MAX_SECONDS],
        'count' => [1, Values::MAX_COUNT],
    ];

    /** For Arguments. */
    public const KINDS = self::PROBES + ['within' => [1, Values::MAX_INT], 'user-timeout' => [0, Values::MAX_INT]];

    public const HELP = <<<'HELP'
          --within SECONDS     a dead peer is noticed within 6 to 14400 seconds,
                               whatever the program does meanwhile; or the values:
          --idle SECONDS       silence before the first probe
          --interval SECONDS   from one probe to the next
          --count PROBES       unanswered, until the kernel gives up
          --user-timeout MS    for how long sent data may stay unacknowledged; 0 is the
                               kernel's own limit. Without it, it is not changed

        HELP;

    /** @throws UsageError */
    public static function settings(string $command, Arguments $arguments): Settings
    {
        $within = $arguments->number('within');
        [$idle, $interval, $count] = array_map([$arguments, 'number'], ['idle', 'interval', 'count']);
        if ($within !== null && count($arguments->given(array_keys(self::KINDS))) === 1) {
            try {
                return Settings::detectWithin($within);
            } catch (InvalidArgumentException $wrong) {
                throw new UsageError("--within: {$wrong->getMessage()}");
            }
        }
        if ($within === null && $idle !== null && $interval !== null && $count !== null) {
            return Settings::of($idle, $interval, $count, $arguments->number('user-timeout'));
        }
        throw new UsageError("$command takes --within alone, or --idle, --interval and --count together.");
    }
}
