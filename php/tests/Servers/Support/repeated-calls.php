<?php

/**
 * When a connection to a dead host ends if keepalive is set again twice a second; to be run by lab/hosts:
 *
 *     lab/hosts run php php/tests/Servers/Support/repeated-calls.php
 *
 * Says in JSON after how many seconds of silence the kernel gave it up: by "once", by "enableConnectionsTo" and by "apply"
 * at each turn.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\Process;

require __DIR__ . '/../../bootstrap.php';

const HOSTS = __DIR__ . '/../../../../lab/hosts';
const FAR = '192.0.2.2';
const TURN_SECONDS = 0.5;
const LOOK_MICROSECONDS = 20000;
const PATIENCE_SECONDS = 15;

$settings = Settings::of(2, 3, 2);

$server = new Process([HOSTS, 'far', PHP_BINARY, __DIR__ . '/../../programs/silent-server.php', FAR . ':7000', FAR . ':7001']);
$streams = $ends = [];
foreach (['once', 'enableConnectionsTo', 'apply'] as $way) {
    do {
        $port = $way === 'enableConnectionsTo' ? 7000 : 7001;
        $stream = @stream_socket_client('tcp://' . FAR . ":$port", $errno, $message, 5);
    } while ($stream === false && usleep(50000) === null);
    Keepalive::apply($stream, $settings);
    $streams[$way] = $stream;
}
exec(HOSTS . ' cut', $output, $status);
$cut = microtime(true);
$turn = $cut + TURN_SECONDS;
while (count($ends) < 3 && microtime(true) < $cut + PATIENCE_SECONDS) {
    usleep(LOOK_MICROSECONDS);
    foreach ($streams as $way => $stream) {
        if (!isset($ends[$way]) && Keepalive::status($stream)->state() === 'CLOSE') {
            $ends[$way] = microtime(true) - $cut;
        }
    }
    if (microtime(true) < $turn) {
        continue;
    }
    $turn += TURN_SECONDS;
    // The two others are at another port.
    Keepalive::enableConnectionsTo('*:7000', $settings);
    if (!isset($ends['apply'])) {
        Keepalive::apply($streams['apply'], $settings);
    }
}
echo json_encode($ends), "\n";
