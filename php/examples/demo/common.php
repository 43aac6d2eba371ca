<?php

/**
 * What both parts of the demo use: colours, and programs beside it.
 */

declare(strict_types=1);

require __DIR__ . '/../../autoload.php';

const HOSTS = __DIR__ . '/../../../lab/hosts';
const BOLD = '1';
const DIM = '2';
const RED = '31';
const GREEN = '32';
const YELLOW = '33';

set_exception_handler(static function (Throwable $exception): void {
    fwrite(STDERR, "demo: {$exception->getMessage()}\n");
    exit(1);
});

/** In colour on a terminal, unless NO_COLOR is set. */
function coloured(string $text, string $colour): string
{
    return stream_isatty(STDOUT) && (string) getenv('NO_COLOR') === '' ? "\e[{$colour}m$text\e[0m" : $text;
}

/** Lines of code, as a user would write them. */
function code(string ...$lines): void
{
    foreach ($lines as $line) {
        echo '  ', coloured($line, DIM), "\n";
    }
    echo "\n";
}

/**
 * Starts a program, and waits for a line of its output that matches.
 *
 * @param string[] $command
 * @return array{resource, resource, string} process, its output, the first group of the match
 */
function start(array $command, string $pattern): array
{
    $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes);
    for ($said = ''; ($line = fgets($pipes[1])) !== false; $said .= $line) {
        if (preg_match($pattern, $line, $found) === 1) {
            return [$process, $pipes[1], $found[1] ?? ''];
        }
    }
    throw new RuntimeException("$command[0] did not start:\n$said");
}
