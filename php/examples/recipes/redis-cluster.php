<?php

/**
 * RedisCluster: a client that opens connections to further hosts whenever it needs them.
 *
 *     REDIS_SEED=redis.example:6379 php redis-cluster.php
 *
 * The nodes have addresses and ports that the application does not know. So it names the network that they are in, or
 * "*" for all. The same is true for the replica sets of MongoDB.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$network = getenv('REDIS_NETWORK') ?: '*';
$cluster = new RedisCluster(null, [getenv('REDIS_SEED') ?: '127.0.0.1:6379'], 5, 0);
foreach (['one', 'two', 'three', 'four', 'five', 'six'] as $job) {
    $cluster->set($job, $job);
    Keepalive::tryToEnableConnectionsTo($network, Settings::detectWithin(30)); // at each turn: there may be a new one
}
echo count($cluster->_masters()), " nodes\n";
