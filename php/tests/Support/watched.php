<?php

/**
 * Has `keepalive watch` watch a connection that something happens to; to be run by
 * tests/deadpeer/hosts:
 *
 *     tests/deadpeer/hosts run php watched.php SCENARIO
 *
 * Says in JSON what it printed, its exit status, and how many seconds after the event it ended.
 */

declare(strict_types=1);

const HOSTS = __DIR__ . '/../../../tests/deadpeer/hosts';
const WATCH = [PHP_BINARY, '-d', 'display_errors=stderr', __DIR__ . '/../../bin/keepalive', 'watch'];
const SETTINGS = ['--idle=1', '--interval', '1', '--count', '3'];

/** Runs on the far host: keeps connections open, but those to port 7001 for two seconds only. */
const SERVER = '
    $listeners = [];
    foreach (["192.0.2.2", "[2001:db8::2]"] as $host) {
        $listeners[] = stream_socket_server("tcp://$host:7000");
        $listeners[] = stream_socket_server("tcp://$host:7001");
    }
    echo "ready\n";
    $accepted = [];
    while (true) {
        $readable = $listeners;
        $closing = $accepted === [] ? null : 2;
        if (stream_select($readable, $none, $none, $closing) === 0) {
            $accepted = [];
        }
        foreach ($readable as $listener) {
            $stream = stream_socket_accept($listener);
            if (substr(stream_socket_get_name($listener, false), -4) === "7001") {
                $accepted[] = $stream;
            } else {
                $kept[] = $stream;
            }
            unset($stream);
        }
    }';

/** Three connections: one idle, one with unacknowledged data, one the same without a user timeout. */
const WORKER = '
    require "' . __DIR__ . '/../../autoload.php";
    use Keepalive\Keepalive;
    $idle = stream_socket_client("tcp://192.0.2.2:7000");
    Keepalive::enable($idle, 1, 1, 3);
    $writing = stream_socket_client("tcp://[2001:db8::2]:7000");
    Keepalive::enable($writing, 5, 1, 9, 3000);
    $without = stream_socket_client("tcp://192.0.2.2:7000");
    echo "ready\n";
    fgets(STDIN);
    fwrite($writing, "data");
    fwrite($without, "data");
    stream_set_timeout($idle, 60);
    fread($idle, 1);
    sleep(1);
    fclose($without);
    sleep(1);';

/**
 * @param string[] $command
 * @return array{resource, resource[]} process and pipes
 */
function start(array $command, bool $isProgram = false): array
{
    $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w']], $pipes);
    if ($isProgram && fgets($pipes[1]) !== "ready\n") {
        throw new RuntimeException('not ready: ' . implode(' ', $command));
    }
    return [$process, $pipes];
}

function cut(string $how): void
{
    exec(HOSTS . " $how", $output, $status);
    if ($status !== 0) {
        throw new RuntimeException("hosts $how failed");
    }
}

/** Reads until the text is there, and returns all of it. */
function readUntil($pipe, string $text): string
{
    $read = '';
    while (strpos($read, $text) === false) {
        $part = fread($pipe, 65536);
        if ($part === '' || $part === false) {
            break;
        }
        $read .= $part;
    }
    return $read;
}

/** In the words of a shell, as script(1) wants them. */
function onTerminal(array $command): array
{
    return ['script', '-qec', implode(' ', array_map('escapeshellarg', $command)), '/dev/null'];
}

$scenario = $argv[1];
$server = start([HOSTS, 'far', PHP_BINARY, '-r', SERVER], true);

switch ($scenario) {
    case 'dead':
    case 'dead-on-a-terminal':
        $command = array_merge(WATCH, ['tcp://192.0.2.2:7000'], SETTINGS);
        $watch = start($scenario === 'dead' ? $command : onTerminal($command));
        $event = ['cut'];
        break;
    case 'dead-in-json':
        $watch = start(array_merge(WATCH, ['tcp://192.0.2.2:7000', '--json'], SETTINGS));
        $event = ['cut'];
        break;
    case 'rebooted':
        $watch = start(array_merge(WATCH, ['tcp://[2001:db8::2]:7000'], SETTINGS));
        $event = ['reboot'];
        break;
    case 'closed':
        $watch = start(array_merge(WATCH, ['tcp://192.0.2.2:7001'], SETTINGS));
        $event = [];
        break;
    case 'process':
    case 'process-in-json':
    case 'process-on-a-terminal':
        $worker = start([PHP_BINARY, '-r', WORKER], true);
        // From another network than the worker's.
        $command = array_merge([HOSTS, 'far'], WATCH, ['--pid', (string) proc_get_status($worker[0])['pid']]);
        if ($scenario === 'process-in-json') {
            $command[] = '--json';
        }
        $watch = start($scenario === 'process-on-a-terminal' ? onTerminal($command) : $command);
        $event = ['cut'];
        break;
    default:
        throw new RuntimeException("no scenario $scenario");
}

[$process, $pipes] = $watch;
$output = readUntil($pipes[1], 'heard from the peer'); // a probe was answered
array_map('cut', $event);
$at = hrtime(true);
if (isset($worker)) {
    fwrite($worker[1][0], "now\n");
}
$output .= stream_get_contents($pipes[1]);
$seconds = (hrtime(true) - $at) / 1e9;
echo json_encode(['output' => $output, 'status' => proc_close($process), 'seconds' => $seconds]);
foreach (array_filter([$server, $worker ?? null]) as [$other]) {
    proc_terminate($other);
}
