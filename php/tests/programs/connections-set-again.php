<?php

/** Enables one connection with other values and with the same; says on standard error which come. */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../bootstrap.php';

$server = stream_socket_server('tcp://127.0.0.1:0');
$address = stream_socket_get_name($server, false);
$client = stream_socket_client("tcp://$address");
$kept = Keepalive::UNCHANGED;
$system = Keepalive::SYSTEM_DEFAULT;
foreach (
    [
        'four' => Settings::of(60, 10, 6),
        'none' => Settings::of(60, 10, 6),
        'none, some unchanged' => Settings::of($kept, 10, $kept),
        'five' => Settings::of(60, 10, 6, 120000),
        'none, as before' => Settings::of(60, 10, 6, 120000),
        'none, without a user timeout' => Settings::of(60, 10, 6),
        'five for another user timeout' => Settings::of(60, 10, 6, 0),
        'four for another interval' => Settings::of(60, 11, 6),
        'four for the defaults' => Settings::of($system, $system, $system),
        'none for the defaults' => Settings::of($system, 75, $system),
    ] as $what => $settings
) {
    fwrite(STDERR, "== $what\n");
    echo Keepalive::enableConnectionsTo($address, $settings);
}
