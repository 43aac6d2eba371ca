<?php

/** The classes of the exception that Keepalive::sockets() throws, and of those before it. */

declare(strict_types=1);

use Keepalive\Keepalive;

$classes = [];
try {
    Keepalive::sockets();
} catch (Throwable $thrown) {
    while ($thrown !== null) {
        $classes[] = get_class($thrown);
        $thrown = $thrown->getPrevious();
    }
}
return $classes;
