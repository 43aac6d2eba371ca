<?php

/** Without TLS: connecting to tls:// and to tcp://. */

declare(strict_types=1);

use Keepalive\Keepalive;

eval('namespace Keepalive\Internal; function extension_loaded($name) { return $name !== "openssl"; }');
$listener = stream_socket_server('tcp://127.0.0.1:0');
$name = stream_socket_get_name($listener, false);
return [
    thrown(static function () use ($name): void {
        Keepalive::connect("tls://$name");
    }),
    Keepalive::settings(Keepalive::connect("tcp://$name"))->idle(),
];
