<?php

/**
 * Run on the near host of lab/hosts: programs that nobody changes are connected to servers on
 * the far host, which dies. Prints as JSON when each was told, in seconds from the cut; null: not at all.
 */

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Servers\Support\Servers;

require __DIR__ . '/autoload.php';

const HORIZON_SECONDS = 8.0;

$hosts = dirname(__DIR__, 2) . '/lab/hosts';
$servers = new Servers('192.0.2.2', [$hosts, 'far'], ['mariadb', 'postgresql', 'redis']);
$address = static fn (string $server): array => ['192.0.2.2', (string) $servers->port($server)];
$psql = ['psql', '-X', '-h', '192.0.2.2', '-p', (string) $servers->port('postgresql'), '-U', 'postgres'];
$commands = [
    'PHP PDO' => static fn (string $what): array
        => array_merge([PHP_BINARY, __DIR__ . '/programs/database.php', $what], $address('mariadb')),
    'psql' => static fn (string $what): array => $psql,
    'Python' => static fn (string $what): array
        => array_merge(['/usr/bin/python3', __DIR__ . '/programs/wait-or-ask.py', $what], $address('redis')),
];

/** @var array<string, Program> $programs by "client/what it does/with or without" */
$programs = [];
foreach ($commands as $client => $command) {
    foreach (['wait', 'ask'] as $what) {
        foreach (['with' => ['LIBKEEPALIVE' => 'within=6'], 'without' => []] as $object => $variables) {
            $program = $programs["$client/$what/$object"] = new Program($command($what), $variables);
            if ($client === 'psql') {
                $program->say("\\echo connected\n" . ($what === 'wait' ? 'SELECT pg_sleep(3600);' : 'SELECT 1;'));
            }
            $program->untilItSays('connected');
        }
    }
}
usleep(500000);
$begun = microtime(true);
exec("$hosts cut");
$cut = microtime(true);
foreach ($programs as $name => $program) {
    if (strpos($name, '/ask/') !== false) {
        $program->say('SELECT 1;');
    }
}
$told = array_fill_keys(array_keys($programs), null);
while (microtime(true) < $cut + HORIZON_SECONDS) {
    foreach ($programs as $name => $program) {
        if ($told[$name] === null && !$program->isRunning()) {
            $told[$name] = [
                'seconds' => round(microtime(true) - $cut, 2),
                'at most' => round(microtime(true) - $begun, 2),
                'said' => $program->output(),
            ];
        }
    }
    usleep(10000);
}
echo json_encode($told);
