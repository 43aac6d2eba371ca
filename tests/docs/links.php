#!/usr/bin/env php
<?php

/**
 * Whether the target of every relative link and picture in every Markdown file exists, headings included,
 * and whether docs/README.md names each document: tests/docs/links.php [FOLDER]
 *
 * FOLDER is an unpacked release; without it, this repository.
 *
 * The last line of the output is "N passed, N failed".
 */

declare(strict_types=1);

chdir($argv[1] ?? __DIR__ . '/../..');

/** @return string[] the Markdown files of a release, or those that git knows or would add */
function documents(bool $isRelease): array
{
    $list = $isRelease ? "find . -name '*.md'" : "git ls-files --cached --others --exclude-standard '*.md'";
    exec($list, $names, $status);
    if ($status !== 0 || $names === []) {
        throw new RuntimeException("$list: no documents");
    }
    return array_filter($names, 'is_file');
}

/** Without what is code. */
function prose(string $document): string
{
    return (string) preg_replace(['/^\s*```.*?^\s*```/ms', '/`[^`\n]*`/'], '', (string) file_get_contents($document));
}

/** @return string[] what # may name in this file, by GitHub's rule */
function anchors(string $document): array
{
    $text = (string) preg_replace('/^\s*```.*?^\s*```/ms', '', (string) file_get_contents($document));
    preg_match_all('/^#+ (.*)$/m', $text, $headings);
    return array_map(static function (string $heading): string {
        $heading = (string) preg_replace('/\[([^]]*)\]\([^)]*\)/', '$1', mb_strtolower(trim($heading)));
        return str_replace(' ', '-', (string) preg_replace('/[^\w\- ]/u', '', $heading));
    }, $headings[1]);
}

$passed = 0;
$complaints = [];
foreach (documents(isset($argv[1])) as $document) {
    preg_match_all('/(?:\]\(|\b(?:href|src|srcset)=")\K[^)"\s]+(?=[)"])/', prose($document), $links);
    foreach ($links[0] as $link) {
        if (preg_match('/^(https?|mailto):/', $link) === 1) {
            continue;
        }
        [$path, $anchor] = explode('#', $link, 2) + [1 => null];
        $target = $path === '' ? $document : dirname($document) . "/$path";
        if (!file_exists($target)) {
            $complaints[] = "$document links to $link, which does not exist";
        } elseif ($anchor !== null && substr($target, -3) === '.md' && !in_array($anchor, anchors($target), true)) {
            $complaints[] = "$document links to $link, but there is no such heading";
        } else {
            $passed++;
        }
    }
}
$index = (string) @file_get_contents('docs/README.md');
foreach (glob('docs/*.md') ?: [] as $document) {
    $name = basename($document);
    if ($name === 'README.md' || strpos($index, "]($name)") !== false) {
        $passed++;
    } else {
        $complaints[] = "docs/README.md does not name $name";
    }
}
foreach ($complaints as $complaint) {
    echo "FAILED $complaint\n";
}
echo "$passed passed, ", count($complaints), " failed\n";
exit($complaints === [] ? 0 : 1);
