<?php

/** In a web server: tries to choose another library by KEEPALIVE_LIBRARY. */

declare(strict_types=1);

use Keepalive\Internal\Library;
use Keepalive\Keepalive;

$copy = sys_get_temp_dir() . '/keepalive-chosen-' . getmypid() . '.so';
copy(dirname(Library::find()) . '/libkeepalive.so', $copy);
putenv("KEEPALIVE_LIBRARY=$copy");
$tried = Library::search();
$mapped = strpos((string) file_get_contents('/proc/self/maps'), $copy) !== false;
unlink($copy);
echo json_encode([$copy, $tried[0], Keepalive::backend(), $mapped]);
