<?php

/** Answers a SOAP call after some seconds, once: slow-soap-server.php ADDRESS SECONDS */

declare(strict_types=1);

[, $address, $seconds] = $argv;
$server = stream_socket_server("tcp://$address");
echo "ready\n";
$connection = stream_socket_accept($server, 30);
fread($connection, 65536);
sleep((int) $seconds);
$body = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><r><n>42</n></r></e:Body></e:Envelope>';
fwrite($connection, "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: "
    . strlen($body) . "\r\n\r\n$body");
sleep(1); // closed at once, a reset could arrive before the answer
