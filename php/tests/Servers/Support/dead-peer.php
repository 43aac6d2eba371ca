<?php

/**
 * What each client notices when its server's host dies, with keepalive and without; to be run by
 * lab/hosts:
 *
 *     lab/hosts run php php/tests/Servers/Support/dead-peer.php [table]
 *
 * All clients connect, those that wait begin to, the network is cut, and the others ask. Says in
 * JSON, or as a table, after how many seconds each noticed and how; null: not at all.
 */

declare(strict_types=1);

use Keepalive\Tests\Servers\Support\Clients;
use Keepalive\Tests\Servers\Support\Servers;
use Keepalive\Tests\Support\Process;

require __DIR__ . '/../../bootstrap.php';

const HOSTS = __DIR__ . '/../../../../lab/hosts';
const FAR = '192.0.2.2';
const WITHIN_SECONDS = 6;
const WATCHED_SECONDS = 10;

$servers = new Servers(FAR, [HOSTS, 'far']);

/** @var array<string, Process> $clients by "name/action/seconds" */
$clients = [];
foreach (Clients::names() as $name) {
    $port = (string) $servers->port(Clients::server($name));
    foreach (Clients::canWait($name) ? ['wait', 'ask'] : ['ask'] as $action) {
        foreach (['0', (string) WITHIN_SECONDS] as $seconds) {
            $script = __DIR__ . '/dead-peer-client.php';
            $command = [PHP_BINARY, $script, $name, FAR, $port, $servers->authority(), $action, $seconds];
            $clients["$name/$action/$seconds"] = new Process($command);
        }
    }
}
foreach ($clients as $key => $client) {
    $line = $client->line();
    if ($line !== "connected\n") {
        fwrite(STDERR, "$key: $line{$client->errors()}\n");
        exit(1);
    }
}

$begin = static function (string $action) use ($clients): void {
    foreach ($clients as $key => $client) {
        if (explode('/', $key)[1] === $action) {
            $client->type("now\n");
        }
    }
};
$begin('wait');
usleep(900000); // for the questions to arrive, and less than the idle time
exec(HOSTS . ' cut', $output, $status);
$cut = hrtime(true);
if ($status !== 0) {
    fwrite(STDERR, "The network cannot be cut.\n");
    exit(1);
}
$begin('ask');

$results = [];
$open = $clients;
while ($open !== [] && hrtime(true) - $cut < WATCHED_SECONDS * 1e9) {
    usleep(20000);
    foreach ($open as $key => $client) {
        $hasEnded = !$client->isRunning();
        if (!$hasEnded && substr_count($client->output(), "\n") < 2) {
            continue;
        }
        $result = json_decode($client->line(), true);
        if ($result === null) {
            fwrite(STDERR, "$key died. {$client->errors()}\n");
            exit(1);
        }
        $results[$key] = ['seconds' => round(($result['at'] - $cut) / 1e9, 2), 'answer' => $result['answer']];
        unset($open[$key]);
    }
}

$all = [];
foreach (array_keys($clients) as $key) {
    [$name, $action, $seconds] = explode('/', $key);
    $all[$name][$action][$seconds === '0' ? 'without' : 'with'] = $results[$key] ?? null;
}
if (($argv[1] ?? '') !== 'table') {
    echo json_encode($all), "\n";
    exit;
}
$cell = static function (array $actions, string $action, string $kind): string {
    if (!isset($actions[$action])) {
        return '-';
    }
    $result = $actions[$action][$kind];
    return $result === null ? 'hangs' : sprintf('%.1f s', $result['seconds']);
};
echo "| Client | waiting, without | waiting, with | asking, without | asking, with | What it throws |\n";
echo "| --- | --- | --- | --- | --- | --- |\n";
foreach ($all as $name => $actions) {
    $cells = [$name];
    foreach (['wait', 'ask'] as $action) {
        $cells[] = $cell($actions, $action, 'without');
        $cells[] = $cell($actions, $action, 'with');
    }
    $answer = ($actions['wait'] ?? $actions['ask'])['with']['answer'] ?? '';
    [$class, $message] = explode(': ', $answer, 2) + [1 => ''];
    // Ports and the like differ from run to run; RuntimeException is this test's, for what returns false.
    $message = preg_replace('/ \(?\[?(tcp:..|to |see )?(192|https)[.\d:]+.*$/', '', strtok($message, "\n"));
    $cells[] = ($class === 'RuntimeException' ? 'returns false: ' : '`' . $class . '`: ') . $message;
    echo '| ', implode(' | ', $cells), " |\n";
}
