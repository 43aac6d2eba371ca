<?php

/**
 * ReactPHP, Amp and other event loops: a stream in one, here Amp's.
 *
 *     SERVER=tls://chat.example:6697 [SERVER_CA=authorities.pem] php event-loop.php
 *
 * A loop that only waits for something to read never learns of a dead peer. With keepalive the
 * stream becomes readable in time: fread() then gives '' or false, and feof() says true.
 *
 * Connections that a library of the loop has opened are reached like all others, once it says that it is
 * connected: Keepalive::tryToEnableConnectionsTo('*:6697').
 */

declare(strict_types=1);

use Amp\Loop;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php, and not the next two lines
require 'Amp/Internal/functions.php';
require 'Amp/autoload.php';

$context = stream_context_create(['ssl' => getenv('SERVER_CA') ? ['cafile' => getenv('SERVER_CA')] : []]);
$stream = Keepalive::connect(getenv('SERVER') ?: 'tls://localhost:443', Settings::detectWithin(30), 10, $context);
stream_set_blocking($stream, false);

Loop::onReadable($stream, static function (string $watcher, $stream): void {
    $data = fread($stream, 8192);
    if ($data !== '' && $data !== false) {
        echo $data;
    } elseif (feof($stream)) {
        echo "the connection is gone\n";
        Loop::cancel($watcher);
        fclose($stream);
    }
});
fwrite($stream, "GET /42 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
Loop::run();
