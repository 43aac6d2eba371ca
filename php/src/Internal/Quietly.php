<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use function function_exists;
use function restore_error_handler;
use function set_error_handler;

/**
 * Keeps PHP's warnings away from the application's error handler, which hears them in spite of an @.
 *
 * Its functions are imported for Library's reasons. What it calls gets no arguments: FFI::cdef(), which
 * preloaded code may call, would do more with them.
 *
 * @internal
 */
final class Quietly
{
    /**
     * @template T
     * @param callable(): T $work
     * @param string[] $warnings what the handler would have heard
     * @return T
     */
    public static function call(callable $work, array &$warnings = [])
    {
        if (!function_exists('set_error_handler') || !function_exists('restore_error_handler')) {
            return @$work(); // disable_functions keeps the application from having a handler, too
        }
        try {
            // The first thing in here: whether a signal handler of the application throws before or
            // after it, the two calls stay a pair.
            set_error_handler(static function (int $level, string $message) use (&$warnings): bool {
                $warnings[] = $message;
                return true;
            });
            return $work();
        } finally {
            restore_error_handler();
        }
    }
}
