<?php

/** Uses the package, forks, and uses it in both processes. */

declare(strict_types=1);

require __DIR__ . '/life.php';

check($stream);
$pid = pcntl_fork();
if ($pid === 0) {
    $listener = stream_socket_server('tcp://127.0.0.1:0');
    $own = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));
    echo 'child: ', check($own);
    exit;
}
pcntl_waitpid($pid, $status);
echo 'parent: ', check($stream);
