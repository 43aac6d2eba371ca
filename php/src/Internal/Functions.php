<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\UnavailableException;

use function function_exists;

/**
 * PHP's functions, which disable_functions may have taken away.
 *
 * @internal
 */
final class Functions
{
    /** @throws UnavailableException which names the first that is missing */
    public static function need(string ...$names): void
    {
        foreach ($names as $name) {
            if (!function_exists($name)) {
                throw new UnavailableException(
                    "PHP's function $name() is needed, and cannot be called: take it out of disable_functions in php.ini."
                );
            }
        }
    }
}
