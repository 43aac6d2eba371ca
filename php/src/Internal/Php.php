<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\UnavailableException;

use function function_exists;
use function get_class;
use function get_resource_type;
use function gettype;
use function pcntl_async_signals;
use function pcntl_signal_dispatch;
use function restore_error_handler;
use function set_error_handler;
use function strlen;
use function substr;
use function var_export;

use const PHP_MAJOR_VERSION;
use const PHP_MINOR_VERSION;

/**
 * PHP itself: its warnings, its functions that an administrator may have disabled, its values in messages.
 *
 * Functions are imported for Library's reasons. quietly() calls a function without arguments: with arguments the
 * application could have it call FFI::cdef().
 *
 * @internal
 */
final class Php
{
    /**
     * Keeps PHP's warnings away from the application's error handler, which PHP calls even for warnings silenced
     * with @. Signal handlers of the application wait until it has returned: one that throws could leave the
     * application without its error handler, or a socket with half of its settings.
     *
     * @template T
     * @param callable(): T $work
     * @param string[] $warnings the warnings that the handler would have got
     * @return T
     */
    public static function quietly(callable $work, array &$warnings = [])
    {
        $async = function_exists('pcntl_async_signals') && pcntl_async_signals();
        try {
            if ($async) {
                pcntl_async_signals(false);
            }
            set_error_handler(static function (int $level, string $message) use (&$warnings): bool {
                $warnings[] = $message;
                return true;
            });
            try {
                // No return in here: after it, PHP can run the `finally` a second time for a signal handler that throws.
                $result = $work();
            } finally {
                restore_error_handler();
            }
        } finally {
            if ($async) {
                pcntl_async_signals(true);
                pcntl_signal_dispatch(); // signals that have come in the meantime
            }
        }
        return $result;
    }

    /** @throws UnavailableException it names the first function that disable_functions has disabled */
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

    /** Where to get an extension, for messages. */
    public static function packageOf(string $extension): string
    {
        $debian = 'php' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION . '-common';
        return "Debian: $debian has it; Docker images: docker-php-ext-install $extension";
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
