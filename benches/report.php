<?php

/** Writes docs/benchmarks.md and docs/benchmarks.svg from what benches/run measured: report.php FOLDER */

declare(strict_types=1);

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
 * Bars of ratios: 1 is a line, on its left is cheaper.
 *
 * @param array<string, float> $ratios by label
 */
function picture(array $ratios): string
{
    $height = 46 + 26 * count($ratios);
    $scale = 400 / max(2.0, max($ratios));
    $one = 390 + $scale;
    $svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 870 $height\" width=\"870\" height=\"$height\" "
        . "font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n"
        . "<title>Time of each call, as a multiple of the bare system calls or of PHP's own way</title>\n"
        . "<rect width=\"870\" height=\"$height\" fill=\"#fff\"/>\n"
        . "<text x=\"$one\" y=\"18\" text-anchor=\"middle\" fill=\"#555\">1.0 = without the library</text>\n";
    $y = 30;
    foreach ($ratios as $label => $ratio) {
        $width = $ratio * $scale;
        $svg .= sprintf("<text x=\"380\" y=\"%d\" text-anchor=\"end\">%s</text>\n", $y + 15, htmlspecialchars($label))
            . sprintf("<rect x=\"390\" y=\"%d\" width=\"%.1f\" height=\"18\" fill=\"#4878a8\"/>\n", $y + 1, $width)
            . sprintf("<text x=\"%.1f\" y=\"%d\">%.2f</text>\n", 396 + $width, $y + 15, $ratio);
        $y += 26;
    }
    return $svg . sprintf("<line x1=\"%.1f\" y1=\"24\" x2=\"%.1f\" y2=\"%d\" stroke=\"#b03030\" stroke-dasharray=\"4 3\"/>\n</svg>\n", $one, $one, $y + 4);
}

// Times: in each group, the first one is what the others are compared with.
$table = $ratios = $first = [];
$enable = 0.0;
foreach (rows("$folder/times") as [$group, $name, $smallest, $median]) {
    $isReference = !isset($first[$group]);
    $reference = $first[$group] ?? $first[$group] = [(float) $smallest, (float) $median];
    $ratio = $smallest / $reference[0];
    $compared = !$isReference && !in_array($group, ['PHP, parts of enable()'], true);
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
    php_uname('r'),
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
