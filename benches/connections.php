<?php

/**
 * What Keepalive::enableConnectionsTo() costs in each turn of a worker's loop, when the connections have these values
 * already. Prints lines as benches/abi.rs does.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require dirname(__DIR__) . '/php/autoload.php';

const TURNS = 5000;

$settings = Settings::detectWithin(30);
$server = stream_socket_server('tcp://127.0.0.1:0');
$address = stream_socket_get_name($server, false);
$parent = getmypid();
if (pcntl_fork() === 0) { // only the child keeps the listener, and the connections wait in its queue
    while (posix_getppid() === $parent) {
        usleep(100000);
    }
    exit(0);
}
fclose($server);
$connections = [];
foreach ([1, 10] as $open) {
    while (count($connections) < $open) {
        $connections[] = stream_socket_client("tcp://$address");
    }
    if (Keepalive::enableConnectionsTo($address, $settings) !== $open || count(Keepalive::sockets()) !== $open) {
        throw new RuntimeException("There should be $open connections, and nothing else.");
    }
    $times = [];
    for ($turn = 0; $turn < TURNS; $turn++) {
        $start = hrtime(true);
        Keepalive::sockets();
        $listed = hrtime(true);
        Keepalive::enableConnectionsTo($address, $settings);
        $times['Keepalive::enableConnectionsTo()'][] = hrtime(true) - $listed;
        $times['Keepalive::sockets()'][] = $listed - $start;
    }
    foreach (array_reverse($times) as $name => $each) {
        sort($each);
        echo "PHP, connections by address\t$name, $open open\t$each[0]\t{$each[intdiv(TURNS, 2)]}\n";
    }
}
