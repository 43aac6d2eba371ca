<?php

/** For each line that it reads, the options of a connection to port 7000 of its own. */

declare(strict_types=1);

use Keepalive\Tests\Support\Kernel;

require __DIR__ . '/../bootstrap.php';

$listener = stream_socket_server('tcp://127.0.0.1:7000');
$client = stream_socket_client('tcp://127.0.0.1:7000');
echo "ready\n";
while (fgets(STDIN) !== false) {
    echo json_encode(Kernel::options($client)), "\n";
}
