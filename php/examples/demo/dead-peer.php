<?php

/**
 * The end of `make demo`: two connections to another host, one with keepalive and one without, and
 * what passes on the wire while that host is lost. To be run by tests/deadpeer/hosts:
 *
 *     tests/deadpeer/hosts run php php/examples/demo/dead-peer.php
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php';
require __DIR__ . '/colours.php';

set_exception_handler(static function (Throwable $exception): void {
    fwrite(STDERR, "dead-peer.php, which tests/deadpeer/hosts runs: {$exception->getMessage()}\n");
    exit(1);
});

const HOSTS = __DIR__ . '/../../../tests/deadpeer/hosts';
const ADDRESS = 'tcp://192.0.2.2:7000';
const SERVER = '
    $listener = stream_socket_server("tcp://192.0.2.2:7000");
    echo "ready\n";
    while (true) {
        $connections[] = stream_socket_accept($listener, -1);
    }';

/** Seconds. */
const WITHIN = 10;
const CUT_AFTER = 4.0;
const WATCHED_AFTERWARDS = 2.0;

/**
 * Starts a program whose output is read here, and waits for a line that contains $ready.
 *
 * @param string[] $command
 * @return array{resource, resource} process and its output
 */
function start(array $command, string $ready)
{
    $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes);
    do {
        $line = fgets($pipes[1]);
        if ($line === false) {
            throw new RuntimeException("$command[0] did not start.");
        }
    } while (strpos($line, $ready) === false);
    return [$process, $pipes[1]];
}

/** A line of the timeline; the second column is what happens on the wire, the third what a program knows. */
function line(float $since, string $wire, string $program = '', string $colour = '0'): void
{
    echo rtrim(sprintf('  %5.1f s   ', microtime(true) - $since) . coloured(sprintf('%-27s %s', $wire, $program), $colour)), "\n";
}

/**
 * What one line of tcpdump says of a connection's probes and answers, null if nothing.
 */
function packet(string $line, int $port, bool $isCut): ?string
{
    static $probes = 0;
    if (preg_match("/ 192\.0\.2\.1\.$port > .* Flags \[(\.|R\.?)\].* length 0/", $line, $flags) === 1) {
        if ($flags[1] !== '.') {
            return '-> reset';
        }
        return '-> probe' . ($isCut ? ' ' . ++$probes : '');
    }
    return preg_match("/ > 192\.0\.2\.1\.$port: Flags \[\.\].* length 0/", $line) === 1 ? '<- answer' : null;
}

[$server] = start([HOSTS, 'far', PHP_BINARY, '-r', SERVER], 'ready');
$without = stream_socket_client(ADDRESS);
[$tcpdump, $wire] = start(['tcpdump', '-i', 'to-far', '-ln', '--immediate-mode', 'tcp'], 'listening on');
$with = stream_socket_client(ADDRESS);
$start = microtime(true);
Keepalive::apply($with, Settings::detectWithin(WITHIN));
$port = (int) substr((string) strrchr((string) stream_socket_get_name($with, false), ':'), 1);
do {
    $packet = fgets($wire); // the last of the three that connect looks like a probe
} while ($packet !== false && packet($packet, $port, false) === null);

$settings = Keepalive::settings($with);
echo coloured(sprintf("  \$without = stream_socket_client('%s');", ADDRESS), DIM), "\n";
echo coloured(sprintf("  \$with    = stream_socket_client('%s');", ADDRESS), DIM), "\n";
echo coloured(sprintf('  Keepalive::apply($with, Settings::detectWithin(%d));', WITHIN), DIM), "\n";
printf(
    "\n  That is idle %d s, interval %d s, count %d, user timeout %d ms.\n\n",
    $settings->idle(),
    $settings->interval(),
    $settings->count(),
    $settings->userTimeoutMs()
);
echo '            ', coloured(sprintf('%-27s %s', 'on the wire (tcpdump)', 'what the program knows'), BOLD), "\n";

$state = static function ($stream): string {
    return Keepalive::status($stream)->state();
};
line($start, '', "both: {$state($with)}");
$cut = null;
$verdict = null;
$isTold = false;
stream_set_blocking($wire, false);
while ($verdict === null || microtime(true) - $verdict < WATCHED_AFTERWARDS) {
    $readable = $verdict === null ? [$wire, $with] : [$wire];
    $none = null;
    stream_select($readable, $none, $none, 0, 50000);
    if (in_array($with, $readable, true)) {
        $verdict = microtime(true);
        usleep(100000); // the wire comes first
    }
    while (($packet = fgets($wire)) !== false) {
        $what = packet($packet, $port, $cut !== null);
        if ($what !== null) {
            line($start, $what, $what === '<- answer' ? 'the other host lives' : '', $cut === null ? GREEN : YELLOW);
        }
    }
    if ($cut === null && microtime(true) - $start >= CUT_AFTER) {
        exec(HOSTS . ' cut', $output, $status);
        if ($status !== 0) {
            throw new RuntimeException('The network cannot be cut.');
        }
        $cut = microtime(true);
        line($start, '-- the network is cut -----', "both: {$state($with)}", BOLD);
    }
    if ($verdict !== null && !$isTold) {
        $isTold = true;
        $read = var_export(fread($with, 1), true);
        line($start, '', "\$with: fread() is $read, {$state($with)}", GREEN);
    }
    if ($cut !== null && $verdict === null && microtime(true) - $cut > 3 * WITHIN) {
        throw new RuntimeException('No verdict came.');
    }
}
stream_set_blocking($without, false);
$read = fread($without, 1) === '' && !feof($without) ? 'waits' : 'returns';
line($start, '', "\$without: fread() $read, {$state($without)}", RED);
printf(
    "\n  %s after the cut the one program knows, as promised within %d s. The other\n"
        . "  asks nothing, hears nothing, and never knows.\n",
    coloured(sprintf('%.1f s', $verdict - $cut), BOLD),
    WITHIN
);
proc_terminate($tcpdump);
proc_terminate($server);
