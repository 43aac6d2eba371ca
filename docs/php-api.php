<?php

/**
 * Writes docs/php-api.md from the comments in php/src: php docs/php-api.php >docs/php-api.md
 *
 * `make headers` does it; a test compares. What a comment marks as internal stays out. What it knows of
 * comments: text, @param, @return and @throws, each with its lines indented below it.
 */

declare(strict_types=1);

require __DIR__ . '/../php/autoload.php';

/** A comment's text, and its tags as [name, rest]. @return array{string, array<int, array{string, string}>} */
function comment(string $comment): array
{
    $lines = preg_replace('~^\s*(/\*\*|\*/|\*) ?|\s*\*/$~m', '', explode("\n", $comment));
    $parts = preg_split('/^(?=@)|(?<=\.) (?=@\w+ )/m', trim(implode("\n", $lines))) ?: [''];
    $text = strpos($parts[0], '@') === 0 ? '' : trim((string) array_shift($parts));
    $tags = [];
    foreach ($parts as $part) {
        preg_match('/^@(\w+)\s*(.*)$/s', oneLine($part), $found);
        $tags[] = [$found[1], $found[2]];
    }
    return [$text, $tags];
}

function oneLine(string $text): string
{
    return trim((string) preg_replace('/\s+/', ' ', $text));
}

/** Names of code, and quoted addresses, as code. */
function marked(string $text): string
{
    $text = (string) preg_replace('~"([^"\s]*[*:/\[][^"\s]*|\*)"~', '`$1`', $text);
    $names = '\$\w+|[A-Z]\w+::\w+(\(\))?|[a-z]\w+\(\)|[A-Z]+_[A-Z_]+|UNCHANGED';
    return (string) preg_replace("/(?<![\w`'])($names)(?![\w`'])/", '`$1`', $text);
}

/** As in the source: from "function" to its "{" or ";". */
function signature(ReflectionMethod $method): string
{
    $lines = file((string) $method->getFileName()) ?: [];
    $code = implode('', array_slice($lines, $method->getStartLine() - 1, $method->getEndLine() - $method->getStartLine() + 1));
    preg_match('/function (.*?)\s*[{;]/s', $code, $found);
    return str_replace(['( ', ' )'], ['(', ')'], oneLine($found[1]));
}

/** @param ReflectionMethod|ReflectionClassConstant $member */
function isShown($member): bool
{
    return $member->isPublic() && strpos((string) $member->getDocComment(), '@internal') === false
        && strpos($member->getName(), '__') !== 0;
}

function method(ReflectionMethod $method, string $class): string
{
    [$text, $tags] = comment((string) $method->getDocComment());
    $list = '';
    foreach ($tags as [$name, $rest]) {
        // A type may have spaces between brackets.
        preg_match('/^((?:[^\s({<]|\([^)]*\)|\{[^}]*\}|<[^>]*>)+)\s*(.*)$/', $rest, $found);
        [$type, $words] = ['`' . ($found[1] ?? '') . '`', $found[2] ?? ''];
        if ($name === 'param') {
            preg_match('/^(\$\w+)\s*(.*)$/', $words, $found);
            $list .= rtrim("* `$found[1]`, $type: " . marked($found[2]), ' :') . "\n";
        } elseif ($name === 'return' || $name === 'throws') {
            $list .= rtrim('* ' . rtrim($name, 's') . "s $type: " . marked($words), ' :') . "\n";
        }
    }
    $separator = $method->isStatic() ? '::' : '->';
    return "### $class$separator{$method->getName()}()\n\n`" . signature($method) . "`\n\n"
        . ($text === '' ? '' : marked($text) . "\n\n") . ($list === '' ? '' : "$list\n");
}

function describe(string $name): string
{
    $class = new ReflectionClass($name);
    $short = $class->getShortName();
    $page = "## $name\n\n" . marked(comment((string) $class->getDocComment())[0]) . "\n\n";
    foreach ($class->getReflectionConstants() as $constant) {
        if (isShown($constant)) {
            [$text] = comment((string) $constant->getDocComment());
            $page .= "* `$short::{$constant->getName()}` is `" . var_export($constant->getValue(), true) . '`. ' . marked($text) . "\n";
        }
    }
    $page = rtrim($page) . "\n\n";
    foreach ($class->getMethods() as $method) {
        if (isShown($method) && $method->getDeclaringClass()->getName() === $name && !$class->implementsInterface(Throwable::class)) {
            $page .= method($method, $short);
        }
    }
    return $page;
}

echo <<<'TEXT'
    # The PHP classes

    Written by `make headers` from the comments in [php/src](../php/src); do not edit. Examples are in
    [the README](../README.md) and in [recipes.md](recipes.md); every message is in [troubleshooting.md](troubleshooting.md).


    TEXT;
$page = '';
foreach (['Keepalive', 'Settings', 'Status', 'OpenSocket'] as $class) {
    $page .= describe("Keepalive\\$class");
}
$page .= "## Exceptions\n\n";
foreach (['KeepaliveException', 'InvalidArgumentException', 'TypeError', 'SocketException', 'UnavailableException'] as $class) {
    $text = comment((string) (new ReflectionClass("Keepalive\\Exception\\$class"))->getDocComment())[0];
    $page .= "* `Keepalive\\Exception\\$class`: " . marked(oneLine($text)) . "\n";
}
preg_match('~/\*\*.*?\*/~s', (string) file_get_contents(__DIR__ . '/../php/constants.php'), $found);
$constants = comment($found[0]);
$page .= "\n## Constants of PHP\n\n" . marked(oneLine($constants[0])) . "\n";
echo $page;
