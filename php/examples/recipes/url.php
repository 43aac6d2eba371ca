<?php

/**
 * file_get_contents(), fopen(), copy() and the like, of a URL: keepalive from before the request is sent.
 *
 *     URL=https://api.example/report [URL_CA=authorities.pem] php url.php
 *
 * PHP calls the notification when it has connected, for each redirection too, which may lead to another port. So all
 * connections of the process are set. ssl options and http options of the context work as they do without it. A stream
 * from fopen() can also be given to Keepalive::apply(), which is late for a server that takes its time to answer:
 * fopen() returns after the answer's first line.
 */

declare(strict_types=1);

use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php

$url = getenv('URL') ?: 'https://localhost/';

$context = stream_context_create(
    ['ssl' => getenv('URL_CA') ? ['cafile' => getenv('URL_CA')] : []],
    ['notification' => static function (int $notification): void {
        if ($notification === STREAM_NOTIFY_CONNECT) {
            Keepalive::tryToEnableConnectionsTo('*', Settings::detectWithin(30));
        }
    }]
);
echo file_get_contents($url, false, $context), "\n";
