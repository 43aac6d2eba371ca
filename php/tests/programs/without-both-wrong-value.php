<?php

/** With neither: what a call with a wrong value throws. */

declare(strict_types=1);

use Keepalive\Keepalive;

return thrown(static function (): void {
    Keepalive::enable(null, 2 ** 32 + 60);
});
