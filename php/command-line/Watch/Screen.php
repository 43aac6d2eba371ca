<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * Where it is shown: lines that stay, one per change, and on a terminal below them a panel of what
 * there is now.
 *
 * @internal
 */
final class Screen
{
    public const BOLD = '1';
    public const DIM = '2';
    public const RED = '31';
    public const GREEN = '32';
    public const YELLOW = '33';

    /** What the panel never exceeds. Narrower terminals cut it. */
    public const WIDTH = 80;

    private const DEFAULT_HEIGHT = 24;

    private bool $isLive;
    private bool $hasColours;
    private int $height = self::DEFAULT_HEIGHT;
    /** Lines of the panel that is shown now. */
    private int $shown = 0;

    public function __construct()
    {
        $this->isLive = stream_isatty(STDOUT) && ($_SERVER['TERM'] ?? '') !== 'dumb';
        $this->hasColours = $this->isLive && ($_SERVER['NO_COLOR'] ?? '') === '';
        $this->measure();
    }

    /** Whether there is a panel. */
    public function isLive(): bool
    {
        return $this->isLive;
    }

    /** Lines that a panel may have. */
    public function height(): int
    {
        return $this->height - 1; // the cursor stands below it
    }

    /** The terminal may have been resized. */
    public function measure(): void
    {
        if (!$this->isLive || !function_exists('shell_exec')) {
            return;
        }
        if (sscanf((string) shell_exec('stty size </dev/tty 2>/dev/null'), '%d', $height) === 1) {
            $this->height = $height > 0 ? $height : self::DEFAULT_HEIGHT;
        }
    }

    public function coloured(string $text, string $colour): string
    {
        return $this->hasColours ? "\e[{$colour}m$text\e[0m" : $text;
    }

    /**
     * @param string[] $lines to stay
     * @param string[] $panel replaces the one before; not shown where there is no terminal
     */
    public function show(array $lines, array $panel): void
    {
        $text = $lines === [] ? '' : implode("\n", $lines) . "\n";
        if ($this->isLive) {
            $panel = array_slice($panel, 0, $this->height());
            // Hidden cursor; up to where the panel begins; and no line of the new one may wrap.
            $up = $this->shown === 0 ? '' : "\e[{$this->shown}A";
            $text = "\e[?25l\r$up\e[J" . $text;
            $text .= "\e[?7l" . implode('', preg_replace('/$/D', "\n", $panel)) . "\e[?7h";
            $this->shown = count($panel);
        }
        echo $text;
    }

    /** Takes the panel away. */
    public function close(): void
    {
        $this->show([], []);
        echo $this->isLive ? "\e[?25h" : '';
    }
}
