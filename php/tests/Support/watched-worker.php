<?php

/**
 * A process for watched.php to watch: three connections, one idle, one with unacknowledged data, one the same without
 * a user timeout.
 */

declare(strict_types=1);

use Keepalive\Keepalive;

require __DIR__ . '/../../autoload.php';

$idle = stream_socket_client('tcp://192.0.2.2:7000');
Keepalive::enable($idle, 1, 1, 3);
$writing = stream_socket_client('tcp://[2001:db8::2]:7000');
Keepalive::enable($writing, 5, 1, 9, 3000);
$without = stream_socket_client('tcp://192.0.2.2:7000');
echo "ready\n";
fgets(STDIN);
fwrite($writing, 'data');
fwrite($without, 'data');
stream_set_timeout($idle, 60);
fread($idle, 1);
sleep(1);
fclose($without);
sleep(1);
