<?php

/**
 * Colours, for terminals only, and only where they are wanted.
 */

declare(strict_types=1);

const BOLD = '1';
const DIM = '2';
const RED = '31';
const GREEN = '32';
const YELLOW = '33';

function coloured(string $text, string $colour): string
{
    static $wanted = null;
    $wanted = $wanted ?? (stream_isatty(STDOUT) && (string) getenv('NO_COLOR') === '');
    return $wanted ? "\e[{$colour}m$text\e[0m" : $text;
}
