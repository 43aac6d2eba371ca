<?php

/**
 * Uses every function of the package on every kind of socket, many times: what valgrind and
 * AddressSanitizer watch. everything.php ROUNDS
 */

declare(strict_types=1);

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;
use Keepalive\Settings;

require dirname(__DIR__, 2) . '/php/autoload.php';

Keepalive::backend() === 'ffi' || exit('not through the library');
$refused = 0;
for ($round = 0; $round < (int) $argv[1]; $round++) {
    $server = stream_socket_server('tcp://127.0.0.1:0');
    $address = stream_socket_get_name($server, false);
    $client = stream_socket_client("tcp://$address");
    $accepted = stream_socket_accept($server);
    $socket = socket_create(AF_INET6, SOCK_STREAM, SOL_TCP);
    foreach ([$server, $client, $accepted, $socket, $connected = Keepalive::connect("tcp://$address")] as $one) {
        Keepalive::enable($one, 60, 10, 6, 120000);
        Keepalive::apply($one, Settings::detectWithin(30));
        Keepalive::enable($one, Keepalive::SYSTEM_DEFAULT, Keepalive::UNCHANGED, 3);
        assert(Keepalive::settings($one)->count() === 3);
        assert(Keepalive::status($one)->probes() === 0);
        Keepalive::disable($one);
    }
    assert(count(Keepalive::sockets()) >= 5);
    assert(Keepalive::enableConnectionsTo($address) >= 1);
    foreach ([stream_socket_server('udp://127.0.0.1:0', $code, $text, STREAM_SERVER_BIND), STDERR, 4000, -1, null] as $none) {
        foreach (['enable', 'disable', 'settings', 'status'] as $function) {
            try {
                Keepalive::$function($none);
                exit("$function() took it");
            } catch (KeepaliveException $exception) {
                $refused++;
            }
        }
    }
    Keepalive::defaults();
}
echo "$round rounds, $refused refusals\n";
