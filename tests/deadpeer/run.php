#!/usr/bin/env php
<?php

/**
 * Proves that dead peers are found on time: tests/deadpeer/run.php [--write-docs] [NAME...]
 *
 * Plays the cases of Cases.php, each between two hosts of its own, several at a time: all but those
 * that take minutes, or those of a name, "tls" meaning tls-fread, tls-select and so on. Leaves
 * results.json and the captures in target/deadpeer, or in $DEADPEER_OUTPUT. A table of the documentation
 * is compared, or written with --write-docs, if all of its cases were played.
 */

declare(strict_types=1);

namespace DeadPeer;

require __DIR__ . '/autoload.php';

/** So many cases run at a time: they mostly wait, but their start must not disturb the others. */
const AT_A_TIME = 24;

$directory = getenv('DEADPEER_OUTPUT') ?: dirname(__DIR__, 2) . '/target/deadpeer';
$writeDocs = in_array('--write-docs', $argv, true);
$cases = Cases::named(array_diff(array_slice($argv, 1), ['--write-docs']));
if ($cases === []) {
    fwrite(STDERR, "There is no such case. There are:\n  " . implode("\n  ", array_keys(Cases::all())) . "\n");
    exit(2);
}

passthru(escapeshellarg(__DIR__ . '/../../lab/hosts') . ' run true', $status);
if ($status !== 0) {
    printf("No case can be played here, see above.\n0 passed, %d failed\n", count($cases));
    exit(1);
}
$started = microtime(true);
$stage = new Stage($directory);
$results = $stage->play($cases, AT_A_TIME);
// A busy machine wakes programs late. What fails alone twice, too, has failed.
for ($round = 0; $round < 2; $round++) {
    $again = array_intersect_key($cases, array_filter(array_column($results, 'problems', 'name')));
    foreach ($stage->play($again, 1) as $name => $result) {
        printf("%s was not ok at first (%s); it was played again.\n", $name, implode(', ', $results[$name]['problems']));
        $results[$name] = $result;
    }
}
file_put_contents(
    "$directory/results.json",
    json_encode(array_values($results), JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES) . "\n"
);

$group = '';
foreach ($results as $result) {
    if ($result['case']['group'] !== $group) {
        $group = $result['case']['group'];
        echo "\n$group\n";
    }
    echo Report::line($result), "\n";
}
$problems = array_filter(array_column($results, 'problems'));
$passed = count($results) - count($problems);
$failed = count($problems);

$documents = dirname(__DIR__, 2) . '/docs';
$tables = [
    ['dead-peers.md', 'promise', Cases::PROMISE, [Report::class, 'promiseTable']],
    ['dead-peers.md', 'times', Cases::TIMES, [Report::class, 'timesTable']],
    ['dead-peers.md', 'TCP', ['What PHP tells: TCP'], [Report::class, 'toldTable']],
    ['dead-peers.md', 'TLS', ['What PHP tells: TLS'], [Report::class, 'toldTable']],
    ['dead-peers.md', 'sockets', ['Socket objects, and C'], [Report::class, 'toldTable']],
    ['why-not-noticed.md', 'classic', ['Nothing noticed'], [Report::class, 'timesTable']],
];
echo "\n";
foreach ($tables as [$file, $name, $groups, $format]) {
    $wanted = Cases::inGroups($groups);
    if ($failed > 0 || array_diff_key($wanted, $results) !== []) {
        continue;
    }
    $document = new Document("$documents/$file", $name);
    $table = $format(array_intersect_key($results, $wanted));
    if ($writeDocs) {
        $document->write($table);
        echo "docs/$file, table '$name': written\n";
    } elseif ($document->isAbout($table)) {
        $passed++;
        echo "docs/$file, table '$name': ok\n";
    } else {
        $failed++;
        echo "docs/$file, table '$name': NOT OK, it is about other results; tests/deadpeer/run.php --write-docs renews it\n";
    }
}

printf("%.0f seconds\n%d passed, %d failed\n", microtime(true) - $started, $passed, $failed);
exit($failed === 0 ? 0 : 1);
