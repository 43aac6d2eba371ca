<?php

/** By how many bytes PHP's memory grows in 2,000 rounds of calls. */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;

require __DIR__ . '/life.php';

$round = static function () use ($stream): int {
    for ($i = 0; $i < 2000; $i++) {
        Keepalive::enable($stream, 42, 7, 3, 63000);
        Keepalive::settings($stream);
        try {
            Keepalive::enable(STDIN);
        } catch (KeepaliveException $exception) {
            unset($exception);
        }
    }
    gc_collect_cycles();
    return memory_get_usage();
};
$round();
$before = $round();
echo $round() - $before;
