<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\OpenSocket;

/** PHP itself: its warnings, and its values in messages. Functions have a backslash for Library's reasons. */
final class Php
{
    /**
     * Keeps PHP's warnings away from the application's error handler, which PHP calls even after @. Signal handlers
     * wait until it has returned: one that throws could leave no error handler, or a socket with half its settings.
     *
     * @template T
     * @param callable(): T $work without arguments, with which the application could have it call FFI::cdef()
     * @param string[] $warnings the warnings that the handler would have got
     * @return T also false where PHP 8.6 throws in place of a warning
     */
    public static function quietly(callable $work, array &$warnings = [])
    {
        $async = \function_exists('pcntl_async_signals') && \pcntl_async_signals();
        try {
            if ($async) {
                \pcntl_async_signals(false);
            }
            \set_error_handler(static function (int $level, string $message) use (&$warnings): bool {
                $warnings[] = $message;
                return true;
            });
            try {
                // No return here: after it, PHP can run the `finally` a second time for a signal handler that throws.
                $result = $work();
            } catch (\StreamException $thrown) { // PHP 8.6, as a stream's context may ask for, in place of a warning
                $warnings[] = $thrown->getMessage();
                $result = false;
            } finally {
                \restore_error_handler();
            }
        } finally {
            if ($async) {
                \pcntl_async_signals(true);
                \pcntl_signal_dispatch(); // signals that have come in the meantime
            }
        }
        return $result;
    }

    /** What was given instead of what was needed. @param mixed $value */
    public static function describe($value): string
    {
        if (\is_object($value)) {
            return 'an object of class ' . \get_class($value);
        }
        if (!\is_scalar($value)) { // null, an array; before PHP 8 curl is a resource
            return \strtolower(\gettype($value)) . (\is_resource($value) ? ' of type ' . \get_resource_type($value) : '');
        }
        $type = ['integer' => 'int ', 'double' => 'float ', 'string' => 'string '][\gettype($value)] ?? '';
        $shown = \is_string($value) && \strlen($value) > 40 ? \substr($value, 0, 40) . '...' : $value;
        return $type . \var_export($shown, true);
    }

    /** The socket that something failed on; a string stands for itself. @param mixed $socket */
    public static function describeSocket($socket): string
    {
        if ($socket instanceof OpenSocket) {
            return "descriptor {$socket->fd()} (" . \implode(' to ', \array_filter([$socket->local(), $socket->remote()])) . ')';
        }
        if (\is_scalar($socket)) {
            return \is_int($socket) ? "descriptor $socket" : (string) $socket;
        }
        if (SocketKind::isSocket($socket)) {
            return 'a Socket';
        }
        // This also calls stream_eof(), which a wrapper in PHP may lack: then it can throw.
        $data = self::quietly(static fn () => SocketKind::isStream($socket) ? \stream_get_meta_data($socket) : []);
        $type = $data === [] ? 'closed meanwhile' : ($data['stream_type'] ?? 'user-space');
        return 'stream #' . (int) $socket . " ($type)";
    }
}
