<?php

/**
 * Plays one case on the near host and judges it: near.php CASE DIRECTORY
 *
 * Leaves CASE.pcap in the directory, and prints the result as JSON.
 */

declare(strict_types=1);

namespace DeadPeer;

require __DIR__ . '/autoload.php';

[, $name, $directory] = $argv;
$case = Cases::all()[$name];
$scenario = new Scenario($case['scenario']);
$rules = new KernelRules($scenario, $case['horizon']);
$horizon = $rules->dies === null ? $case['horizon'] : $rules->seen + $case['tolerance'] + 2;

$capture = "$directory/$name.pcap";
passthru(escapeshellarg(__DIR__ . '/hosts') . ' capture ' . escapeshellarg($capture), $status);
if ($status !== 0) {
    exit(1);
}
if ($case['ffi'] === (\Keepalive\Keepalive::backend() !== 'ffi')) {
    throw new \RuntimeException('the backend is ' . \Keepalive\Keepalive::backend() . ', which this case is not about');
}

$near = new NearHost($case, $directory);
$near->play($scenario, $horizon);
usleep(100000); // for the last packets
$wire = new Wire($capture);

$problems = [];
$isLate = static function (float $measured, float $predicted) use ($case): bool {
    return abs($measured - $predicted) > $case['tolerance'];
};

if ($near->seen === null && $rules->seen !== null) {
    $problems[] = 'the program was told nothing';
} elseif ($near->seen !== null && $rules->seen === null) {
    $problems[] = 'the connection was to stay';
} elseif ($near->seen !== null && $isLate($near->seen, $rules->seen)) {
    $problems[] = sprintf('told at %.2f s', $near->seen);
}
$error = $case['told'] ? $rules->error : 0;
if ($near->error() !== $error) {
    $problems[] = "error {$near->error()}, not $error";
}

$probes = $wire->probes($near->zero);
if (!$scenario->has('fill')) { // probes of a closed window look the same
    if (count($probes) !== count($rules->probes)) {
        $problems[] = count($probes) . ' probes, not ' . count($rules->probes);
    } elseif (array_filter(array_map($isLate, $probes, $rules->probes))) {
        $problems[] = 'probes at other times';
    }
}
$answers = $wire->answers($near->zero);
foreach ($case['alive'] ? $probes : [] as $probe) {
    if (!array_filter($answers, static function (float $answer) use ($probe): bool {
        return $answer >= $probe && $answer < $probe + 0.1;
    })) {
        $problems[] = "the probe at $probe was not answered";
    }
}

echo json_encode([
    'name' => $name,
    'scenario' => $case['scenario'],
    'waits' => $case['waits'],
    'predicted' => ['seen' => $rules->seen, 'error' => $rules->error, 'probes' => $rules->probes],
    'horizon' => $horizon,
    'seen' => $near->seen,
    'error' => $near->error(),
    'told' => $near->told(),
    'probes' => $probes,
    'answers' => $answers,
    'data' => $wire->data($near->zero),
    'resets sent' => $wire->resets($near->zero, true),
    'resets received' => $wire->resets($near->zero, false),
    'problems' => $problems,
], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";
