<?php

/** Has a child that has ended and for which it does not wait; prints the child's number. */

declare(strict_types=1);

$pid = pcntl_fork();
if ($pid === 0) {
    exit;
}
for ($i = 0; $i < 1000; $i++) {
    if (preg_match("/^State:\tZ/m", (string) file_get_contents("/proc/$pid/status")) === 1) {
        break;
    }
    usleep(5000);
}
echo "$pid\n";
fgets(STDIN);
