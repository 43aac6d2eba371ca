<?php

/**
 * The end of `make demo`: two connections to another host, one with keepalive and one without, and
 * what passes on the wire while that host is lost. To be run by lab/hosts:
 *
 *     lab/hosts run php php/examples/demo/dead-peer.php
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/common.php';

const ADDRESS = 'tcp://192.0.2.2:7000';
const SERVER = '$listener = stream_socket_server("' . ADDRESS . '"); echo "ready\n";
    while (true) { $connections[] = stream_socket_accept($listener, -1); }';

/** Seconds. */
const WITHIN = 10;
const WATCHED_AFTERWARDS = 2.0;

/** The network is cut just after so many answers. */
const ANSWERS = 3;

/** A line of the timeline: what happens on the wire, and what a program knows. */
function line(string $wire, string $program = '', string $colour = '0'): void
{
    global $start;
    $line = coloured(sprintf('%-27s %s', $wire, $program), $colour);
    echo rtrim(sprintf('  %5.1f s   %s', microtime(true) - $start, $line)), "\n";
}

/** What one line of tcpdump says of this connection's probes and answers, null if nothing. */
function packet(string $line, int $port): ?string
{
    if (preg_match("/ > 192\.0\.2\.1\.$port: Flags \[\.\].* length 0/", $line) === 1) {
        return '<- answer';
    }
    preg_match("/ 192\.0\.2\.1\.$port > .* Flags \[(\.|R\.?)\].* length 0/", $line, $flags);
    return $flags === [] ? null : ($flags[1] === '.' ? '-> probe' : '-> reset');
}

[$server] = start([HOSTS, 'far', PHP_BINARY, '-r', SERVER], '/ready/');
$without = stream_socket_client(ADDRESS);
[$tcpdump, $wire] = start(['tcpdump', '-i', 'to-far', '-ln', '--immediate-mode', 'tcp'], '/listening on/');
$with = stream_socket_client(ADDRESS);
$start = microtime(true);
Keepalive::apply($with, Settings::detectWithin(WITHIN));

$port = (int) substr((string) strrchr((string) stream_socket_get_name($with, false), ':'), 1);
while (packet((string) fgets($wire), $port) === null) {
    continue; // until the last packet of connecting, which looks like a probe
}
$state = static function ($stream): string {
    return Keepalive::status($stream)->state();
};

$settings = Keepalive::settings($with);
code(
    sprintf("\$without = stream_socket_client('%s');", ADDRESS),
    sprintf("\$with    = stream_socket_client('%s');", ADDRESS),
    sprintf('Keepalive::apply($with, Settings::detectWithin(%d));', WITHIN)
);
printf("  That is idle %d s, interval %d s, count %d, ", $settings->idle(), $settings->interval(), $settings->count());
printf("user timeout %d ms.\n\n", $settings->userTimeoutMs());
echo '            ', coloured(sprintf('%-27s %s', 'on the wire (tcpdump)', 'what the program knows'), BOLD), "\n";
line('', "both: {$state($with)}");

[$cut, $told, $probes, $answers] = [null, null, 0, 0];
stream_set_blocking($wire, false);
while ($told === null || microtime(true) - $told < WATCHED_AFTERWARDS) {
    [$readable, $none] = [$told === null ? [$wire, $with] : [$wire], null];
    stream_select($readable, $none, $none, 0, 50000);
    $isToldNow = in_array($with, $readable, true);
    if ($isToldNow) {
        $told = microtime(true);
        usleep(100000); // the wire comes first
    }
    while (($packet = fgets($wire)) !== false) {
        $what = packet($packet, $port);
        if ($what !== null && $cut === null) {
            $isAnswer = $what === '<- answer';
            line($what, $isAnswer ? 'the other host lives' : '', GREEN);
            $answers += (int) $isAnswer;
        } elseif ($what !== null) {
            line($what === '-> probe' ? "$what " . ++$probes : $what, '', YELLOW);
        }
    }
    if ($cut === null && $answers >= ANSWERS) {
        exec(HOSTS . ' cut', $output, $status);
        if ($status !== 0) {
            throw new RuntimeException('The network cannot be cut.');
        }
        $cut = microtime(true);
        line('-- the network is cut -----', "both: {$state($with)}", BOLD);
    }
    if ($told === null && microtime(true) - $start > 3 * WITHIN) {
        throw new RuntimeException('The program was not told in time.');
    }
    if ($isToldNow) {
        line('', '$with: fread() is ' . var_export(fread($with, 1), true) . ", {$state($with)}", GREEN);
    }
}
stream_set_blocking($without, false);
$read = fread($without, 1) === '' && !feof($without) ? 'waits' : 'returns';
line('', "\$without: fread() $read, {$state($without)}", RED);
$time = coloured(sprintf('%.1f s', $told - $cut), BOLD);
echo "\n  $time after the cut the one program knows, as promised within ", WITHIN, " s. The other\n",
    "  asks nothing, hears nothing, and never knows.\n";
proc_terminate($tcpdump);
proc_terminate($server);
