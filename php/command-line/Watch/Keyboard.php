<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/** Reads keys from the terminal, without Enter.
 *
 * @internal
 */
final class Keyboard
{
    /** The terminal's old settings, in stty's form; null if no keys are read. */
    private ?string $before = null;

    public function open(): void
    {
        // Without pcntl a signal would end the program before it could set the terminal back.
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

    /** The keys that were pressed; waits for one, for this many microseconds, or until a signal. */
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

    /** Others, started by timeout(1) or with & in a shell, are stopped when they set the terminal. */
    private static function isInForeground(): bool
    {
        $stat = (string) file_get_contents('/proc/self/stat');
        // After the program's name in brackets, which may contain anything: proc(5).
        [, , , $group, , , $foreground] = explode(' ', (string) strrchr($stat, ')'));
        return $group === $foreground;
    }
}
