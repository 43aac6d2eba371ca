#!/usr/bin/env php
<?php

/**
 * Whether docs/troubleshooting.md has every message that the library and the package can give.
 *
 * Messages are the sentences of core/src/errors.rs, and each piece of text in preload/src, php/src and
 * php/command-line that is a sentence: three words or more. Not the pieces that complain of nothing: doctor's findings that
 * all is well, the text of `keepalive help`, and what NO_MESSAGES names.
 * The last line of the output is "N passed, N failed".
 */

declare(strict_types=1);

const ROOT = __DIR__ . '/../..';
const PAGE = 'docs/troubleshooting.md';

/** Texts that look like sentences. */
const NO_MESSAGES = [
    'still alive',                                 // what the self test sends
    'keepalive doctor',                            // the name in its certificate
    'char *dlerror', 'char *secure_getenv', 'char *gnu_get_libc_version', 'int issetugid', 'int geteuid', // C
    'idle %d s, interval %d s, count %d, user timeout',    // the self test's success
    'TCP keepalive for PHP.', 'this list;', 'what this PHP can do', 'connections live:',    // of keepalive help
    'the TCP sockets of running processes,', 'starts a program whose TCP sockets', 'changes the TCP sockets of a',
    'unsigned getuid(void', 'int fcntl(int fd', // C
    'q ends it', 'Ctrl-C ends it',                 // of keepalive watch
    'ssize_t recv(int',                            // C
];

/** Text as it is compared: without line ends and the marks of Markdown. */
function plain(string $text): string
{
    return trim((string) preg_replace('/\s+/', ' ', str_replace(['**', '`', '> ', '\\*'], ['', '', '', '*'], $text)));
}

/** @return string[] */
function sentencesOfRust(string $file): array
{
    preg_match_all('/\bc"([^"]+)"/', (string) file_get_contents($file), $found);
    return $found[1];
}

/**
 * The literal parts of the preload object's messages.
 *
 * @return string[]
 */
function sentencesOfPreload(string $file): array
{
    $code = explode('#[cfg(test)]', (string) file_get_contents($file))[0];
    preg_match_all('/"((?:[^"\\\\]|\\\\.)*)"/', (string) preg_replace('~^\s*//.*$~m', '', $code), $found);
    $sentences = [];
    foreach ($found[1] as $text) {
        foreach (preg_split('/\{\w*\}/', stripcslashes($text)) ?: [] as $piece) {
            if (preg_match('/[a-z]+ [a-z]+.* [a-z]+/i', $piece) === 1) {
                $sentences[] = $piece;
            }
        }
    }
    return $sentences;
}

/**
 * The literal parts of messages: where PHP puts a value, a new part begins.
 *
 * @return string[]
 */
function sentencesOfPhp(string $file): array
{
    $parts = [''];
    $fineUntil = null; // the depth of parentheses at which a finding that all is well ends
    $depth = 0;
    $isHelp = false; // the text in a heredoc
    foreach (token_get_all((string) file_get_contents($file)) as $token) {
        [$kind, $text] = is_array($token) ? $token : [null, $token];
        if (in_array($kind, [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT], true) || $text === '.') {
            continue;
        }
        $isHelp = $kind === T_START_HEREDOC || ($isHelp && $kind !== T_END_HEREDOC);
        $depth += $text === '(' ? 1 : ($text === ')' ? -1 : 0);
        if ($kind === T_STRING && $text === 'FINE' && $depth > 0) { // not where the constant is declared
            $fineUntil = $depth - 1;
        }
        if ($fineUntil !== null && $depth <= $fineUntil) {
            $fineUntil = null;
        }
        if ($fineUntil !== null) {
            $parts[] = '';
        } elseif ($kind === T_CONSTANT_ENCAPSED_STRING) {
            $parts[count($parts) - 1] .= stripcslashes(substr($text, 1, -1));
        } elseif ($kind === T_ENCAPSED_AND_WHITESPACE && !$isHelp) {
            $parts[count($parts) - 1] .= stripcslashes($text);
        } elseif ($text !== '"') {
            $parts[] = '';
        }
    }
    $sentences = [];
    foreach ($parts as $part) {
        foreach (preg_split('/%\d*[sd]|%\.\df/', $part) ?: [] as $piece) {
            if (preg_match('/[a-z]+[^a-z_]* [a-z"(]+.* [a-z"(]+/i', $piece) === 1 && strpos($piece, '<?php') === false) {
                $sentences[] = $piece;
            }
        }
    }
    return array_filter($sentences, static function (string $sentence): bool {
        foreach (NO_MESSAGES as $no) {
            if (strpos($sentence, $no) !== false) {
                return false;
            }
        }
        return strpos($sentence, 'typedef') === false && $sentence[0] !== '/';
    });
}

$page = plain((string) @file_get_contents(ROOT . '/' . PAGE));
$passed = $failed = 0;
$sentences = ['core/src/errors.rs' => sentencesOfRust(ROOT . '/core/src/errors.rs')];
foreach (glob(ROOT . '/preload/src/*.rs') ?: [] as $file) {
    $sentences[substr($file, strlen(ROOT) + 1)] = sentencesOfPreload($file);
}
foreach (['/php/src', '/php/integrations', '/php/command-line'] as $folder) {
    $files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator(ROOT . $folder, FilesystemIterator::SKIP_DOTS));
    foreach ($files as $file) {
        $sentences[substr((string) $file, strlen(ROOT) + 1)] = sentencesOfPhp((string) $file);
    }
}
ksort($sentences);
foreach ($sentences as $name => $found) {
    foreach (array_unique($found) as $sentence) {
        if (strpos($page, plain($sentence)) !== false) {
            $passed++;
        } else {
            $failed++;
            echo "FAILED $name says, and " . PAGE . ' does not: ' . plain($sentence) . "\n";
        }
    }
}
if (count($sentences['core/src/errors.rs']) < 10 || count($sentences['preload/src/rules.rs']) < 10 || $passed + $failed < 60) {
    $failed++;
    echo "FAILED these were not all messages: this test no longer reads them right\n";
}
echo "$passed passed, $failed failed\n";
exit($failed === 0 ? 0 : 1);
