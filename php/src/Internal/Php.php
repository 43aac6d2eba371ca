<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\UnavailableException;

use function function_exists;
use function get_class;
use function get_resource_type;
use function gettype;
use function restore_error_handler;
use function set_error_handler;
use function strlen;
use function substr;
use function var_export;

/**
 * PHP itself: its warnings, its functions that an administrator may have disabled, its values in messages.
 *
 * Functions are imported for Library's reasons. What quietly() calls gets no arguments: FFI::cdef(), which
 * preloaded code may call, would do more with them.
 *
 * @internal
 */
final class Php
{
    /**
     * Keeps PHP's warnings away from the application's error handler, which PHP calls even for warnings silenced
     * with @.
     *
     * @template T
     * @param callable(): T $work
     * @param string[] $warnings what the handler would have heard
     * @return T
     */
    public static function quietly(callable $work, array &$warnings = [])
    {
        if (!function_exists('set_error_handler') || !function_exists('restore_error_handler')) {
            return @$work(); // then the application has no handler either
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

    /** @throws UnavailableException which names the first function that disable_functions has taken away */
    public static function need(string ...$functions): void
    {
        foreach ($functions as $name) {
            if (!function_exists($name)) {
                throw new UnavailableException(
                    "PHP's function $name() is needed, and cannot be called: take it out of disable_functions in php.ini."
                );
            }
        }
    }

    /**
     * Says in a message what was given instead of what was needed.
     *
     * @param mixed $value
     */
    public static function describe($value): string
    {
        switch (gettype($value)) {
            case 'integer':
                return "int $value";
            case 'double':
                return 'float ' . var_export($value, true);
            case 'boolean':
                return $value ? 'true' : 'false';
            case 'NULL':
                return 'null';
            case 'string':
                return 'string ' . var_export(strlen($value) > 40 ? substr($value, 0, 40) . '...' : $value, true);
            case 'object':
                return 'an object of class ' . get_class($value);
            case 'resource':
                return 'a resource of type ' . get_resource_type($value);
            case 'resource (closed)':
                return 'a closed resource';
            default:
                return gettype($value);
        }
    }
}
