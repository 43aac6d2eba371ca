<?php

/**
 * Plays one case on the near host and judges it: near.php CASE DIRECTORY
 *
 * Leaves CASE.pcap in the directory, and prints the result as JSON.
 */

declare(strict_types=1);

namespace DeadPeer;

require __DIR__ . '/autoload.php';

@proc_nice(-10); // as far as this user may: it is not to be late because others are busy

[, $name, $directory] = $argv;
$case = Cases::all()[$name];
$scenario = new Scenario($case['scenario']);
$predicted = new KernelRules($scenario, $case['horizon'], $case['ip']);
$horizon = $predicted->seen === null ? $case['horizon'] : $predicted->seen + $case['tolerance'] + 2;

$capture = "$directory/$name.pcap";
passthru(escapeshellarg(__DIR__ . '/hosts') . ' capture ' . escapeshellarg($capture), $status);
if ($status !== 0) {
    exit(1);
}
$backend = \Keepalive\Keepalive::backend();
if (($backend === 'ffi') !== $case['ffi']) {
    throw new \RuntimeException("the backend is '$backend', which this case is not about");
}

$near = new NearHost($case, $directory);
$near->play($scenario, $horizon);
usleep(100000); // for the last packets
$wire = new Wire($capture);

// A busy machine takes its time for a step; what is judged is the time from then on.
$rules = new KernelRules($scenario->at($near->times), $horizon, $case['ip']);

$problems = [];
$differ = static function (float $measured, float $predicted) use ($case): bool {
    return abs($measured - $predicted) > $case['tolerance'];
};

if (($near->seen === null) !== ($rules->seen === null)) {
    $problems[] = $near->seen === null ? 'the program was told nothing' : 'the connection was to stay';
} elseif ($near->seen !== null && $differ($near->seen, $rules->seen)) {
    $problems[] = 'not on time';
}
if ($scenario->has('within') && !$case['alive']) {
    // Counted from the cut, or from the data that is in flight, whose clock starts with its retransmission.
    $within = (int) $scenario->steps[0]['arguments'][0];
    $within += $scenario->has('write') ? end($near->times) + 2 * KernelRules::RTO : 0;
    if ($near->seen === null || $near->seen > $within + $case['tolerance']) {
        $problems[] = sprintf('not within %.1f s', $within);
    }
}
if ($near->error() !== ($case['told'] ? $rules->error : 0)) {
    $problems[] = 'another error';
}

$probes = array_filter($wire->probes($near->zero), static function (float $time) use ($horizon): bool {
    return $time < $horizon;
});
if (!$scenario->has('fill')) { // probes of a closed window look the same
    if (count($probes) !== count($rules->probes)) {
        $problems[] = sprintf('%d probes, not %d', count($probes), count($rules->probes));
    } else {
        foreach ($probes as $index => $probe) {
            // From one to the next, because each starts the timer of the next, and timers are late.
            $since = $probes[$index - 1] ?? 0;
            if ($differ($probe - $since, $rules->probes[$index] - ($rules->probes[$index - 1] ?? 0))) {
                $problems[] = "a probe at $probe s";
            }
        }
    }
}
if ($case['alive']) {
    $answers = $wire->answers($near->zero);
    foreach ($probes as $probe) {
        $prompt = array_filter($answers, static function (float $answer) use ($probe): bool {
            return $answer >= $probe && $answer < $probe + 0.1;
        });
        if ($prompt === []) {
            $problems[] = "no answer to the probe at $probe s";
        }
    }
}

echo json_encode([
    'name' => $name,
    'predicted' => ['seen' => $predicted->seen, 'error' => $predicted->error, 'probes' => $predicted->probes],
    'steps' => $near->times,
    'horizon' => $horizon,
    'seen' => $near->seen,
    'error' => $near->error(),
    'told' => $near->told(),
    'probes' => $probes,
    'answers' => $wire->answers($near->zero),
    'data' => $scenario->has('fill') ? [] : $wire->data($near->zero), // too much of it
    'resets sent' => $wire->resets($near->zero, true),
    'resets received' => $wire->resets($near->zero, false),
    'problems' => $problems,
], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";
