<?php

declare(strict_types=1);

namespace DeadPeer;

/** A table in a Markdown file, between two comments with its name. */
final class Document
{
    private string $file;
    private string $begin;
    private string $end;

    /** @param string $program the command that writes it */
    public function __construct(string $file, string $table, string $program = 'run')
    {
        $this->file = $file;
        $this->begin = "<!-- $table: written by tests/deadpeer/$program.php --write-docs -->\n";
        $this->end = "<!-- end of $table -->";
    }

    public function write(string $table): void
    {
        [$before, , $after] = $this->parts();
        file_put_contents($this->file, "$before$this->begin\n$table\n$this->end$after");
    }

    /** Whether the file has this table, except for measured times and versions. */
    public function isAbout(string $table): bool
    {
        return self::lasting($this->parts()[1]) === self::lasting($table);
    }

    /** @return string[] what precedes the table, the table, and what follows */
    private function parts(): array
    {
        $text = (string) file_get_contents($this->file);
        $begin = strpos($text, $this->begin);
        $end = strpos($text, $this->end);
        if ($begin === false || $end === false) {
            throw new \RuntimeException("$this->file lacks '$this->begin' or '$this->end'");
        }
        $table = $begin + strlen($this->begin);
        return [substr($text, 0, $begin), trim(substr($text, $table, $end - $table)), substr($text, $end + strlen($this->end))];
    }

    private static function lasting(string $table): string
    {
        // A time with two decimals is a measured one. What went over the wire is judged case by case; how many
        // packets there were may differ.
        return (string) preg_replace(
            ['/^Linux .*/m', '/\d+\.\d\d( s)?\b/', '/(%\s*)+/', '/((data|probes|RST( from the peer)?) %(\.\.\.)?\s*(; )?)+/', '/ +/'],
            ['', '%', '%', '', ' '],
            trim($table)
        );
    }
}
