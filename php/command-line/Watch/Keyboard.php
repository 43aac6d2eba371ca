<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * Reads keys from the terminal, without Enter.
 *
 * @internal
 */
final class Keyboard
{
    /** The terminal's settings before open(), in stty's form; null if no keys are read. */
    private ?string $before = null;

    public function open(): void
    {
        // Without pcntl a signal would end the program before it can restore the terminal.
        if (!function_exists('pcntl_async_signals') || !function_exists('shell_exec') || !stream_isatty(STDIN)) {
            return;
        }
        $before = self::isInForeground() ? trim((string) shell_exec('stty -g 2>/dev/null')) : '';
        if (preg_match('/^[0-9a-f:]+$/', $before) === 1) { // one word of a shell
            $this->before = $before;
            shell_exec('stty -icanon -echo');
        }
    }

    public function isOpen(): bool
    {
        return $this->before !== null;
    }

    /**
     * The keys that were pressed. Waits for one until this time is over, or until a signal.
     *
     * @param positive-int $microseconds
     */
    public function read(int $microseconds): string
    {
        if ($this->before === null) {
            usleep($microseconds);
            return '';
        }
        [$readable, $none] = [[STDIN], null];
        if (!@stream_select($readable, $none, $none, 0, $microseconds)) { // PHP warns if a signal interrupts it
            return '';
        }
        $keys = (string) fread(STDIN, 64);
        if ($keys === '') {
            $this->close(); // the terminal has gone
        }
        return $keys;
    }

    public function close(): void
    {
        if ($this->before !== null) {
            shell_exec("stty $this->before 2>/dev/null");
            $this->before = null;
        }
    }

    /** A program in the background, started with & or by timeout(1), is stopped when it changes the terminal. */
    private static function isInForeground(): bool
    {
        $stat = (string) file_get_contents('/proc/self/stat');
        // After the program's name in brackets, which may contain anything: proc(5).
        [, , , $group, , , $foreground] = explode(' ', (string) strrchr($stat, ')'));
        return $group === $foreground;
    }
}
