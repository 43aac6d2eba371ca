<?php

/**
 * One client, in a process of its own, when its server's host dies:
 *
 *     dead-peer-client.php CLIENT HOST PORT AUTHORITY wait|ask SECONDS
 *
 * Connects, has every connection to the server noticed dead within SECONDS (0: leaves them alone),
 * and says "connected". Having read a line it waits for an answer, or asks, and then says in JSON
 * when that ended (hrtime) and with what.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Servers\Support\Clients;

require __DIR__ . '/../../bootstrap.php';

[, $name, $host, $port, $authority, $action, $seconds] = $argv;
[$ask, $wait] = Clients::connect($name, $host, (int) $port, $authority);
if ($ask() !== '42') {
    exit("$name does not work.\n");
}
if ((int) $seconds > 0 && Keepalive::enableConnectionsTo("$host:$port", Settings::detectWithin((int) $seconds)) !== 1) {
    exit("$name has no connection, or several.\n");
}
echo "connected\n";
fgets(STDIN);
try {
    $answer = 'answered: ' . var_export($action === 'wait' ? $wait() : $ask(), true);
} catch (\Throwable $exception) {
    $answer = get_class($exception) . ': ' . $exception->getMessage();
}
echo json_encode(['at' => hrtime(true), 'answer' => $answer], JSON_INVALID_UTF8_SUBSTITUTE), "\n";
posix_kill(getmypid(), SIGKILL); // some clients take long to say goodbye to the dead server
