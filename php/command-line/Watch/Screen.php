<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * The output: a line for each change, and on a terminal below them a panel, which is replaced by the next.
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

    /** The panel is never wider; it is this wide if the terminal's size is not known. */
    public const WIDTH = 80;

    private const DEFAULT_HEIGHT = 24;

    private bool $isLive;
    private bool $hasColours;
    private int $width = self::WIDTH;
    private int $height = self::DEFAULT_HEIGHT;
    /** Lines of the panel that is shown now. */
    private int $shown = 0;

    /** @param bool $forPeople otherwise there are lines only */
    public function __construct(bool $forPeople = true)
    {
        $this->isLive = $forPeople && stream_isatty(STDOUT) && ($_SERVER['TERM'] ?? '') !== 'dumb';
        $this->hasColours = $this->isLive && ($_SERVER['NO_COLOR'] ?? '') === '';
        $this->measure();
    }

    /** Whether the output is a terminal, so that there is a panel. */
    public function isLive(): bool
    {
        return $this->isLive;
    }

    /** Characters that a line of the panel may have. */
    public function width(): int
    {
        return $this->width;
    }

    /** Lines that a panel may have. */
    public function height(): int
    {
        return $this->height - 1; // the cursor is in the line below
    }

    /** The terminal may have been resized. */
    public function measure(): void
    {
        if (!$this->isLive || !function_exists('shell_exec')) {
            return;
        }
        $size = sscanf((string) shell_exec('stty size </dev/tty 2>/dev/null'), '%d %d');
        [$height, $width] = array_map('intval', is_array($size) ? $size : [0, 0]);
        $this->height = $height > 0 ? $height : self::DEFAULT_HEIGHT;
        $this->width = $width > 0 ? min($width, self::WIDTH) : self::WIDTH;
    }

    public function coloured(string $text, string $colour): string
    {
        return $this->hasColours ? "\e[{$colour}m$text\e[0m" : $text;
    }

    public static function beginning(string $text, int $width): string
    {
        return strlen($text) <= $width ? $text : substr($text, 0, max(0, $width - 2)) . '..';
    }

    /**
     * @param string[] $lines are kept
     * @param string[] $panel replaces the old one; not shown without a terminal
     */
    public function show(array $lines, array $panel): void
    {
        $text = $lines === [] ? '' : implode("\n", $lines) . "\n";
        if ($this->isLive) {
            if ($this->shown > 0) { // up to where the panel begins
                $text = "\r\e[{$this->shown}A\e[J" . $text;
            }
            $panel = array_map([$this, 'cut'], array_slice($panel, 0, $this->height()));
            if ($panel !== []) {
                // Hidden cursor; and no line wraps if the terminal has just become narrower.
                $text = "\e[?25l" . $text . "\e[?7l" . implode("\n", $panel) . "\n\e[?7h";
            }
            $this->shown = count($panel);
        }
        echo $text;
    }

    /** Removes the panel. */
    public function close(): void
    {
        $this->show([], []);
        echo $this->isLive ? "\e[?25h" : '';
    }

    /** A line as wide as the panel may be. If it were longer, the terminal would also show its last character. */
    private function cut(string $line): string
    {
        $room = $this->width;
        return (string) preg_replace_callback('/(\e\[\d+m)|[^\e]+/', static function (array $part) use (&$room): string {
            if (isset($part[1])) {
                return $part[0]; // a colour takes no columns
            }
            $text = substr($part[0], 0, $room);
            $room -= strlen($text);
            return $text;
        }, $line);
    }
}
