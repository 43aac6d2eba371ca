<?php

/** Uses the package in a shutdown function, after an exception that nothing catches. */

declare(strict_types=1);

require __DIR__ . '/life.php';

register_shutdown_function(static function () use ($stream): void {
    echo check($stream);
});
throw new Exception('the end');
