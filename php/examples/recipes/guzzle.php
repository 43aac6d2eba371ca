<?php

/**
 * Guzzle, or curl by itself: connections that are kept for later requests, and long answers.
 *
 *     URL=https://api.example/report [URL_CA=authorities.pem] php guzzle.php
 *
 * curl's own options set keepalive from the start; the number of probes and the user timeout, which
 * ends a request that the dead server never acknowledged, come from this package: during the request
 * ("progress"), because its connection may be a new one.
 */

declare(strict_types=1);

use GuzzleHttp\Client;
use Keepalive\Keepalive;
use Keepalive\Settings;

require __DIR__ . '/../../autoload.php'; // in an application: vendor/autoload.php, and not the next line
require 'GuzzleHttp/autoload.php';

$url = getenv('URL') ?: 'https://localhost/';
$address = '*:' . (parse_url($url, PHP_URL_PORT) ?? (parse_url($url, PHP_URL_SCHEME) === 'http' ? 80 : 443));
$settings = Settings::detectWithin(30);

$client = new Client([
    'verify' => getenv('URL_CA') ?: true,
    'connect_timeout' => 5, // also for curl's second attempt, after a connection that it had kept has died
]);
for ($request = 1; $request <= 2; $request++) {
    $set = 0;
    $response = $client->get($url, [
        'curl' => [
            CURLOPT_TCP_KEEPALIVE => 1,
            CURLOPT_TCP_KEEPIDLE => $settings->idle(),
            CURLOPT_TCP_KEEPINTVL => $settings->interval(),
        ],
        'progress' => static function () use ($address, $settings, &$set): void {
            $set = $set ?: Keepalive::tryToEnableConnectionsTo($address, $settings);
        },
    ]);
    echo $response->getBody(), "\n";
}
