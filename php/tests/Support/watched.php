<?php

/**
 * Has `keepalive watch` watch a connection that something happens to; to be run by
 * lab/hosts:
 *
 *     lab/hosts run php watched.php SCENARIO
 *
 * Says in JSON what it printed, its exit status, and how many seconds after the event it ended.
 */

declare(strict_types=1);

use Keepalive\Tests\Support\Process;

require __DIR__ . '/../bootstrap.php';

const HOSTS = __DIR__ . '/../../../lab/hosts';
const WATCH = [PHP_BINARY, '-d', 'display_errors=stderr', __DIR__ . '/../../bin/keepalive', 'watch'];
const SETTINGS = ['--idle=1', '--interval', '1', '--count', '3'];

/** Starts a script beside this one, and waits until it is ready. @param string[] $before */
function ready(string $script, array $before = []): Process
{
    $process = new Process(array_merge($before, [PHP_BINARY, __DIR__ . "/$script"]));
    $process->waitFor('/^ready$/m');
    return $process;
}

function cut(string $how): void
{
    exec(HOSTS . " $how", $output, $status);
    if ($status !== 0) {
        throw new RuntimeException("hosts $how failed");
    }
}

/** In the words of a shell, as script(1) wants them. */
function onTerminal(array $command): array
{
    return ['script', '-qec', implode(' ', array_map('escapeshellarg', $command)), '/dev/null'];
}

@proc_nice(-10); // if this user may: it must not be late because others are busy
$scenario = $argv[1];
$server = ready('watched-server.php', [HOSTS, 'far']);

switch ($scenario) {
    case 'dead':
    case 'dead-on-a-terminal':
        $command = array_merge(WATCH, ['tcp://192.0.2.2:7000'], SETTINGS);
        $watch = new Process($scenario === 'dead' ? $command : onTerminal($command));
        $event = ['cut'];
        break;
    case 'dead-in-json':
        $watch = new Process(array_merge(WATCH, ['tcp://192.0.2.2:7000', '--json'], SETTINGS));
        $event = ['cut'];
        break;
    case 'rebooted':
        $watch = new Process(array_merge(WATCH, ['tcp://[2001:db8::2]:7000'], SETTINGS));
        $event = ['reboot'];
        break;
    case 'closed':
        $watch = new Process(array_merge(WATCH, ['tcp://192.0.2.2:7001'], SETTINGS));
        $event = [];
        break;
    case 'process':
    case 'process-in-json':
    case 'process-on-a-terminal':
        $worker = ready('watched-worker.php');
        // In another network namespace than the worker.
        $command = array_merge([HOSTS, 'far'], WATCH, ['--pid', (string) $worker->pid]);
        if ($scenario === 'process-in-json') {
            $command[] = '--json';
        }
        $watch = new Process($scenario === 'process-on-a-terminal' ? onTerminal($command) : $command);
        $event = ['cut'];
        break;
    default:
        throw new RuntimeException("no scenario $scenario");
}

$watch->waitFor('/heard from the peer/'); // a probe was answered
array_map('cut', $event);
$at = hrtime(true);
if ($scenario === 'closed') {
    $server->type("close\n");
}
if (isset($worker)) {
    $worker->type("now\n");
}
$status = $watch->status();
$seconds = (hrtime(true) - $at) / 1e9;
echo json_encode(['output' => $watch->output(), 'status' => $status, 'seconds' => $seconds]);
