<?php

/**
 * Programs that wait for a host that is lost, and `keepalive set` from outside, afterwards; to be run by
 * lab/hosts:
 *
 *     lab/hosts run php php/tests/Servers/Support/stuck.php [transcript]
 *
 * They connect, the network is cut, and nothing happens for a while. Then each is set but one. Says in JSON, for
 * each, what `keepalive set` said, after how many seconds the program was told, and what; null: not at all. With
 * "transcript" it says what was seen of the first, for the documentation.
 */

declare(strict_types=1);

use Keepalive\CommandLine\Process as OtherProcess;
use Keepalive\Tests\Servers\Support\Servers;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Process;

require __DIR__ . '/../../bootstrap.php';

const HOSTS = __DIR__ . '/../../../../lab/hosts';
const FAR = '192.0.2.2';
const KEEPALIVE = [PHP_BINARY, '-d', 'display_errors=stderr', __DIR__ . '/../../../bin/keepalive'];
/** After the cut nothing may happen for this time; then keepalive is set. */
const STUCK_SECONDS = 3.0;
const WITHIN_SECONDS = 6;
/** `keepalive set` says when the kernel looks at data in flight next, if that is not soon: it must be so far away. */
const FORECAST_SECONDS = 2.5;

$servers = new Servers(FAR, [HOSTS, 'far'], ['mariadb']);
$folder = sys_get_temp_dir() . '/keepalive-stuck-' . bin2hex(random_bytes(4));
mkdir($folder);
exec('cc -o ' . escapeshellarg("$folder/stuck-in-c") . ' ' . escapeshellarg(__DIR__ . '/stuck.c'), $output, $status);
if ($status !== 0) {
    exit("stuck.c does not compile\n");
}

$silent = new Process([HOSTS, 'far', PHP_BINARY, __DIR__ . '/../../programs/silent-server.php', FAR . ':7000']);
expect($silent, 'ready');

copy(__DIR__ . '/stuck-worker.php', "$folder/worker.php");
chdir($folder);
putenv('DATABASE=host=' . FAR . ";port={$servers->port('mariadb')}");
$programs = [
    'PHP, data in flight' => new Process(['php', 'worker.php', 'later']), // is set first: see FORECAST_SECONDS
    'PHP' => new Process(['php', 'worker.php']),
    'Python' => new Process(['python3', __DIR__ . '/stuck.py', FAR, '7000']),
    'C' => new Process(["$folder/stuck-in-c", FAR, '7000']),
    'PHP, not set' => new Process(['php', 'worker.php']),
];
foreach ($programs as $program) {
    expect($program, 'waiting');
}
usleep(300000); // for the question to be acknowledged
exec(HOSTS . ' cut', $output, $status);
$cut = hrtime(true);
if ($status !== 0) {
    exit("The network cannot be cut.\n");
}
foreach ($programs as $program) {
    $program->type("now\n"); // the one that asks does
}
$told = listen($programs, STUCK_SECONDS);
while ($told === [] && untilRetransmission($programs['PHP, data in flight']) < FORECAST_SECONDS) {
    $told = listen($programs, 0.01);
}
if ($told !== []) {
    exit('told without being set: ' . json_encode($told) . "\n");
}

$results = [];
foreach ($programs as $name => $program) {
    if ($name === 'PHP, not set') {
        continue;
    }
    $pid = (string) $program->pid;
    $results[$name] = ['set at' => (hrtime(true) - $cut) / 1e9];
    $set = Child::run(array_merge(KEEPALIVE, ['set', '--pid', $pid, '--within', (string) WITHIN_SECONDS]));
    $results[$name]['said'] = $set->output . $set->errors;
    $results[$name]['status'] = $set->status;
    $results[$name]['pid'] = $pid;
}
$told = listen($programs, WITHIN_SECONDS + 1.0);
foreach ($programs as $name => $program) {
    $results[$name]['told'] = $told[$name]['text'] ?? null;
    $results[$name]['seconds'] = isset($told[$name]) ? $told[$name]['at'] - ($results[$name]['set at'] ?? 0) : null;
}
chdir('/');
exec('rm -r ' . escapeshellarg($folder));
$results['transcript'] = transcript($results['PHP']);
echo ($argv[1] ?? '') === 'transcript' ? $results['transcript'] : json_encode($results, JSON_THROW_ON_ERROR) . "\n";

/** @param array<string, mixed> $result */
function transcript(array $result): string
{
    return sprintf(
        "# %.1f s ago the database's host was lost. worker.php waits in PDO::query(), and would for hours.\n"
        . "\$ keepalive set --pid %d --within %d\n%s# %.1f s later, worker.php:\n%s\n",
        $result['set at'],
        $result['pid'],
        WITHIN_SECONDS,
        $result['said'],
        $result['seconds'],
        $result['told']
    );
}

function expect(Process $program, string $line): void
{
    $said = $program->line();
    if ($said !== "$line\n") {
        exit("\"$line\" was expected; this was said: $said{$program->errors()}\n");
    }
}

function untilRetransmission(Process $program): float
{
    foreach ((new OtherProcess($program->pid))->tcpSockets() as $socket) {
        if ($socket['timer'] === 'retransmission') {
            return $socket['timerAt'] - hrtime(true) / 1e9;
        }
    }
    return 0.0;
}

/**
 * What the programs say within this time.
 *
 * @param array<string, Process> $programs
 * @return array<string, array{at: float, text: string}> seconds since the cut
 */
function listen(array $programs, float $seconds): array
{
    global $cut;
    $end = hrtime(true) + (int) ($seconds * 1e9);
    $told = [];
    while (count($told) < count($programs) && hrtime(true) < $end) {
        usleep(10000);
        foreach (array_diff_key($programs, $told) as $name => $program) {
            if (substr_count($program->output(), "\n") > 1) {
                $told[$name] = ['at' => (hrtime(true) - $cut) / 1e9, 'text' => rtrim($program->line())];
            }
        }
    }
    return $told;
}
