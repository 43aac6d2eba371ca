<?php

/**
 * Plays one case on the near host and judges it: near.php CASE DIRECTORY
 *
 * Leaves CASE.pcap in the directory, and prints the result as JSON.
 */

declare(strict_types=1);

namespace DeadPeer;

require __DIR__ . '/autoload.php';

/** What is wrong with it, if anything. */
function keepsPromise(Scenario $scenario, ?float $seen, float $lastHeard, float $horizon): ?string
{
    $steps = array_column($scenario->steps, 'arguments', 'do');
    $within = (int) $steps['within'][0];
    $silence = ($seen ?? $horizon) - $lastHeard;
    if ($silence > $within) {
        return sprintf('not within %d s, but after %.3f s', $within, $silence);
    }
    // What was lost before the cut may have started the user timeout before the peer was last heard.
    $half = Scenario::values('within', $steps['within'])[3] / 1000;
    return $seen !== null && $silence < $half && !$scenario->has('lose')
        ? sprintf('given up after %.3f s, too early', $silence)
        : null;
}

@proc_nice(-10); // if this user may: it must not be late because others are busy

[, $name, $directory] = $argv;
$case = Cases::all()[$name];
$scenario = new Scenario($case['scenario']);
$predicted = new KernelRules($scenario, $case['horizon'], $case);
$horizon = $predicted->seen === null || $scenario->has('within') ? $case['horizon'] : $predicted->seen * 9 / 8 + $case['tolerance'] + 2;

$capture = "$directory/$name.pcap";
passthru(escapeshellarg(__DIR__ . '/../../lab/hosts') . ' capture ' . escapeshellarg($capture), $status);
if ($status !== 0) {
    exit(1);
}
$backend = \Keepalive\Keepalive::backend();
if (($backend === 'ffi') !== $case['ffi']) {
    throw new \RuntimeException("the backend is '$backend', which this case is not about");
}

$near = new NearHost($case, $directory);
$near->play($scenario, $horizon);
$wire = new Wire($capture, $near->zero, $near->endOfCapture($capture));

// On a busy machine a step takes longer; the time after it is what is judged.
$played = $scenario->at($near->times());
$span = new Span($played, $horizon, $case);

$problems = [];
$lastHeard = $wire->lastHeard();

if ($case['stays'] && $near->seen !== null) {
    $problems[] = 'the connection was to live through it';
} elseif ($scenario->has('lose')) {
    // This depends on chance; only the promise can be tested.
} elseif ($near->seen === null && !$span->mayStay) {
    $problems[] = 'the program was told nothing';
} elseif ($near->seen !== null && $span->earliest === null) {
    $problems[] = 'the connection was to stay';
} elseif ($near->seen !== null && ($near->seen < $span->earliest - ($case['tolerance'] - 0.2) || $near->seen > $span->latest + $case['tolerance'])) {
    $problems[] = sprintf('not between %.2f s and %.2f s', $span->earliest, $span->latest);
}
if ($scenario->has('within')) {
    $problems[] = keepsPromise($scenario, $near->seen, $lastHeard, $horizon);
}
if ($near->seen !== null && $near->error() !== ($case['told'] ? $span->error : 0)) {
    $problems[] = 'another error';
}
if ($near->seen !== null && $case['waits'] === 'loop' && $scenario->has('cut') && $near->told()['fread'] === "''") {
    $problems[] = 'it happened between fread() and feof(), some microseconds'; // true, but not what is documented
}

$until = $near->seen ?? $horizon; // a connection that the peer has closed is probed, too, until it is closed here
$probes = array_filter($wire->probes(), static function (float $time) use ($until): bool {
    return $time < $until;
});
if (!$scenario->has('fill') && !$scenario->has('lose')) { // probes of a closed window look the same
    $problems[] = $span->complaint(array_values($probes), $case['tolerance']);
}
if ($case['alive']) {
    $first = $scenario->steps[0];
    $roundTrip = $first['do'] === 'delay' ? 2 * $first['arguments'][0] / 1000 : 0;
    $answers = $wire->answers();
    foreach ($probes as $probe) {
        $prompt = array_filter($answers, static function (float $answer) use ($probe, $roundTrip): bool {
            return $answer >= $probe && $answer < $probe + 0.1 + $roundTrip;
        });
        if ($prompt === []) {
            $problems[] = sprintf('no answer to the probe at %.3f s', $probe);
        }
    }
}

echo json_encode([
    'name' => $name,
    'predicted' => ['seen' => $predicted->seen, 'error' => $predicted->error, 'probes' => $predicted->probes],
    'steps' => $near->times(),
    'horizon' => $horizon,
    'seen' => $near->seen,
    'silence' => $near->seen === null ? null : $near->seen - $lastHeard,
    'span' => [$span->earliest, $span->latest, $span->mayStay],
    'error' => $near->error(),
    'told' => $near->told(),
    'probes' => $probes,
    'answers' => $wire->answers(),
    'data' => $scenario->has('fill') ? [] : $wire->data(), // too much of it
    'resets sent' => $wire->resets(true),
    'resets received' => $wire->resets(false),
    'problems' => array_values(array_filter($problems)),
], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR), "\n";
