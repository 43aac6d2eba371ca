<?php

/** A SoapClient's call, which opens the connection and waits in one: soap-client.php URL SECONDS */

declare(strict_types=1);

[, $url, $seconds] = $argv;
ini_set('default_socket_timeout', $seconds);
$soap = new SoapClient(null, ['location' => $url, 'uri' => 'urn:test']);
try {
    echo $soap->answer();
} catch (SoapFault $fault) {
    echo $fault->getMessage();
}
