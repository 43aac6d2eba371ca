<?php

/**
 * Programs that wait for a host that is lost, and `keepalive set` from outside, afterwards; to be run by
 * tests/deadpeer/hosts:
 *
 *     tests/deadpeer/hosts run php php/tests/Servers/Support/stuck.php [transcript]
 *
 * They connect, the network is cut, and nothing happens for a while. Then each is set but one. Says in JSON, for
 * each, what `keepalive set` said, after how many seconds the program was told, and what; null: not at all. With
 * "transcript" it says what was seen of the first, for the documentation.
 */

declare(strict_types=1);

use Keepalive\Tests\Servers\Support\Servers;

require __DIR__ . '/../../bootstrap.php';

const HOSTS = __DIR__ . '/../../../../tests/deadpeer/hosts';
const FAR = '192.0.2.2';
const KEEPALIVE = [PHP_BINARY, '-d', 'display_errors=stderr', __DIR__ . '/../../../bin/keepalive'];
/** After the cut, before anything is set: as long as nothing may happen. */
const STUCK_SECONDS = 3.0;
const WITHIN_SECONDS = 6;

$servers = new Servers(FAR, [HOSTS, 'far'], ['mariadb']);
$folder = sys_get_temp_dir() . '/keepalive-stuck-' . bin2hex(random_bytes(4));
mkdir($folder);
exec('cc -o ' . escapeshellarg("$folder/stuck-in-c") . ' ' . escapeshellarg(__DIR__ . '/stuck.c'), $output, $status);
if ($status !== 0) {
    exit("stuck.c does not compile\n");
}

// Accepts, and says nothing.
$silent = start(array_merge([HOSTS, 'far'], [PHP_BINARY, '-r', '
    $listener = stream_socket_server("tcp://' . FAR . ':7000");
    echo "ready\n";
    while (true) { $accepted[] = stream_socket_accept($listener, -1); }']));
expect($silent, 'ready');

copy(__DIR__ . '/stuck-worker.php', "$folder/worker.php");
chdir($folder);
putenv('DATABASE=host=' . FAR . ";port={$servers->port('mariadb')}");
$programs = [
    'PHP' => start(['php', 'worker.php']),
    'Python' => start(['python3', __DIR__ . '/stuck.py', FAR, '7000']),
    'C' => start(["$folder/stuck-in-c", FAR, '7000']),
    'PHP, data in flight' => start(['php', 'worker.php', 'later']),
    'PHP, not set' => start(['php', 'worker.php']),
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
    fwrite($program['in'], "now\n"); // the one that asks does
}
$told = listen($programs, STUCK_SECONDS);
if ($told !== []) {
    exit('told without being set: ' . json_encode($told) . "\n");
}

$results = [];
foreach ($programs as $name => $program) {
    if ($name === 'PHP, not set') {
        continue;
    }
    $pid = (string) proc_get_status($program['process'])['pid'];
    $results[$name] = ['set at' => (hrtime(true) - $cut) / 1e9];
    $process = proc_open(array_merge(KEEPALIVE, ['set', '--pid', $pid, '--within', (string) WITHIN_SECONDS]), [1 => ['pipe', 'w']], $pipes);
    $results[$name]['said'] = (string) stream_get_contents($pipes[1]);
    $results[$name]['status'] = proc_close($process);
    $results[$name]['pid'] = $pid;
}
$told = listen($programs, WITHIN_SECONDS + 1.0);
foreach ($programs as $name => $program) {
    $results[$name]['told'] = $told[$name]['text'] ?? null;
    $results[$name]['seconds'] = isset($told[$name]) ? $told[$name]['at'] - ($results[$name]['set at'] ?? 0) : null;
    proc_terminate($program['process'], SIGKILL);
}
proc_terminate($silent['process'], SIGKILL);
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

/** @param string[] $command @return array{process: resource, in: resource, out: resource} */
function start(array $command): array
{
    $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w']], $pipes);
    return ['process' => $process, 'in' => $pipes[0], 'out' => $pipes[1]];
}

/** @param array{out: resource} $program */
function expect(array $program, string $line): void
{
    $said = fgets($program['out']);
    if ($said !== "$line\n") {
        exit("\"$line\" was expected; this was said: $said\n");
    }
}

/**
 * What the programs say within this time.
 *
 * @param array<string, array{out: resource}> $programs
 * @return array<string, array{at: float, text: string}> seconds since the cut
 */
function listen(array $programs, float $seconds): array
{
    global $cut;
    $end = hrtime(true) + (int) ($seconds * 1e9);
    $open = array_map(static fn (array $program) => $program['out'], $programs);
    $told = [];
    while ($open !== [] && ($left = ($end - hrtime(true)) / 1e9) > 0) {
        $readable = $open;
        $none = null;
        stream_select($readable, $none, $none, (int) $left, (int) (fmod($left, 1) * 1e6));
        foreach ($readable as $name => $stream) {
            $told[$name] = ['at' => (hrtime(true) - $cut) / 1e9, 'text' => rtrim((string) fgets($stream))];
            unset($open[$name]);
        }
    }
    return $told;
}
