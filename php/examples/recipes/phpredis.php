<?php

/**
 * phpredis: a worker that waits for jobs as long as it takes.
 *
 *     REDIS_HOST=redis.example php phpredis.php [queue]
 *
 * phpredis connects again by itself when a command finds the connection broken, and does not tell; so
 * keepalive is set before each wait. A connection that has it already is left alone.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$host = getenv('REDIS_HOST') ?: '127.0.0.1';
$port = (int) (getenv('REDIS_PORT') ?: 6379);
$settings = Settings::detectWithin(30);
$redis = new Redis();
$redis->connect($host, $port, 5);
$redis->setOption(Redis::OPT_READ_TIMEOUT, -1); // keepalive finds a dead server; no need to wake up for it

do {
    try {
        $redis->ping();
        Keepalive::tryToEnableConnectionsTo("*:$port", $settings);
        [, $job] = $redis->blPop([$argv[1] ?? 'jobs'], 0);
        echo "$job\n";
    } catch (RedisException $exception) {
        echo "{$exception->getMessage()}, trying again\n";
        sleep(1);
        $job = null;
    }
} while ($job !== 'quit');
