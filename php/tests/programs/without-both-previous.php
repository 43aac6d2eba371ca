<?php

/** With neither: the classes of the exception and of those before it. */

declare(strict_types=1);

use Keepalive\Keepalive;

$classes = [];
try {
    Keepalive::backend();
} catch (Throwable $thrown) {
    while ($thrown !== null) {
        $classes[] = get_class($thrown);
        $thrown = $thrown->getPrevious();
    }
}
return $classes;
