<?php

/** Writes docs/benchmarks.md and docs/benchmarks.svg from what benches/run measured: report.php FOLDER */

declare(strict_types=1);

require __DIR__ . '/../docs/pictures/Picture.php';

$folder = $argv[1];
$docs = dirname(__DIR__) . '/docs';

/** @return string[][] */
function rows(string $file): array
{
    return array_map(static function (string $line): array {
        return explode("\t", $line);
    }, file($file, FILE_IGNORE_NEW_LINES) ?: []);
}

function duration(float $nanoseconds): string
{
    foreach (['ns' => 1e3, 'us' => 1e6, 'ms' => 1e9] as $unit => $end) {
        if ($nanoseconds < $end) {
            $shown = $nanoseconds * 1e3 / $end;
            return ($unit === 'ns' ? (string) round($shown) : sprintf($shown < 100 ? '%.2f' : '%.0f', $shown)) . " $unit";
        }
    }
    return sprintf('%.1f s', $nanoseconds / 1e9);
}

/** @param string[][] $table */
function markdown(array $head, array $table): string
{
    $lines = [implode(' | ', $head), implode(' | ', array_fill(0, count($head), '---'))];
    foreach ($table as $row) {
        $lines[] = implode(' | ', $row);
    }
    return '| ' . implode(" |\n| ", $lines) . " |\n";
}

/** @param float[] $numbers */
function median(array $numbers): float
{
    sort($numbers);
    return (float) $numbers[intdiv(count($numbers), 2)];
}

/**
 * Bars of ratios. A line marks 1: a call whose bar ends left of it is faster.
 *
 * @param array<string, float> $ratios by label
 */
function picture(array $ratios): string
{
    $left = 400;
    $scale = 400 / max(2.0, max($ratios));
    $height = 100 + 26 * count($ratios);
    $picture = new Picture(
        'benches/report.php',
        'What a call costs, beside the same without this library',
        'Bars: the time of each call as a multiple of the bare system calls, or of the way that PHP itself offers.',
        890,
        $height
    );
    $picture->text(20, 54, 'time of a call; 1 is the bare system calls, or the way that PHP itself offers', 'small');
    $y = 78;
    foreach ($ratios as $label => $ratio) {
        $picture->text($left - 10, $y + 14, $label, '', 'end');
        $picture->path($left, $y, sprintf('h %.1f v 18 h -%.1f z', $ratio * $scale, $ratio * $scale), 'bar');
        $picture->text($left + max($ratio, 1.0) * $scale + 6, $y + 14, sprintf('%.2f', $ratio));
        $y += 26;
    }
    $picture->line($left + $scale, 70, $left + $scale, $height - 16, 'limit');
    return $picture->svg();
}

// Times: in each group, the others are compared with the first one.
$table = $ratios = $first = [];
$enable = 0.0;
foreach (rows("$folder/times") as [$group, $name, $smallest, $median]) {
    $isReference = !isset($first[$group]);
    $reference = $first[$group] ?? $first[$group] = [(float) $smallest, (float) $median];
    $ratio = $smallest / $reference[0];
    $compared = !$isReference && !in_array($group, ['PHP, parts of enable()', 'PHP, connections by address'], true);
    $table[] = [
        $group,
        "`$name`",
        duration((float) $smallest),
        duration((float) $median),
        $compared ? sprintf('**%.2f**', $ratio) : '',
        $compared ? sprintf('%.2f', $median / $reference[1]) : '',
    ];
    if ($group === 'PHP, stream, 10 open' && $name === 'Keepalive::enable()') {
        $enable = (float) $smallest;
    }
    if ($compared && strpos($name, 'apply') === false) {
        $ratios["$group: $name"] = $ratio;
    }
}
$chosen = array_filter($ratios, static function (string $label): bool {
    return preg_match('/^(set|get|defaults|find .*, 10000 open|PHP)/', $label) === 1;
}, ARRAY_FILTER_USE_KEY);

$firstCalls = [];
foreach (file("$folder/first", FILE_IGNORE_NEW_LINES) ?: [] as $line) {
    preg_match('/^(.*) (\d+) (-?\d+)$/', $line, $found);
    $firstCalls[$found[1]]['ns'][] = (float) $found[2];
    $firstCalls[$found[1]]['kb'][] = (float) $found[3];
}
$firstTable = [];
$names = [
    'import' => 'import, four `socket_set_option`',
    'enable' => '`Keepalive::enable()`',
    'enable, opcache' => '`Keepalive::enable()`, compiled files from opcache',
];
foreach ($names as $key => $name) {
    $firstTable[] = [$name, duration(median($firstCalls[$key]['ns'])), median($firstCalls[$key]['kb']) . ' KB'];
}

preg_match('/^model name\s*: (.*)$/m', (string) @file_get_contents('/proc/cpuinfo'), $cpu);
$library = dirname(__DIR__) . '/target/release/libkeepalive.so';
$machine = sprintf(
    'Linux %s, %s, %s; PHP %s, %s; %s.',
    strtok(php_uname('r'), '-'), // a build's own name tells a reader nothing
    php_uname('m'),
    trim($cpu[1] ?? 'CPU unknown'),
    PHP_VERSION,
    trim((string) shell_exec('rustc --version')),
    gmdate('Y-m-d')
);

$peers = [];
foreach (rows("$folder/peers") as [$name, $nanoseconds]) {
    $peers[] = [$name, is_numeric($nanoseconds) ? duration((float) $nanoseconds) : $nanoseconds];
}
$instructions = array_map(static function (array $row): array {
    return ["`$row[0]`", $row[1]];
}, rows("$folder/instructions"));

$text = file_get_contents(__DIR__ . '/benchmarks.md.in');
$text = strtr($text, [
    '@MACHINE@' => $machine,
    '@ENABLE@' => duration($enable),
    '@TIMES@' => markdown(['group', 'contender', 'smallest', 'median', 'ratio', 'ratio of medians'], $table),
    '@INSTRUCTIONS@' => markdown(['contender', 'instructions'], $instructions),
    '@FIRST@' => markdown(['first call in a process', 'time', 'memory'], $firstTable),
    '@FPM@' => markdown(
        ['PHP-FPM', 'first call', 'ratio', 'each after it', 'ratio', 'memory, request 100', 'request 10,000'],
        rows("$folder/fpm")
    ),
    '@SIZE@' => number_format(filesize($library)),
    '@PEERS@' => markdown(['peer', 'median of a call'], $peers),
]);
file_put_contents("$docs/benchmarks.md", $text);
file_put_contents("$docs/benchmarks.svg", picture($chosen));
echo "\nWritten: docs/benchmarks.md, docs/benchmarks.svg\n";
