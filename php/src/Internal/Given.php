<?php

declare(strict_types=1);

namespace Keepalive\Internal;

/**
 * Says in messages what was given instead of what was needed.
 *
 * @internal
 */
final class Given
{
    /** @param mixed $value */
    public static function describe($value): string
    {
        switch (gettype($value)) {
            case 'integer':
                return "int $value";
            case 'double':
                return 'float ' . var_export($value, true);
            case 'boolean':
                return $value ? 'true' : 'false';
            case 'NULL':
                return 'null';
            case 'string':
                return 'string ' . var_export(strlen($value) > 40 ? substr($value, 0, 40) . '...' : $value, true);
            case 'object':
                return 'an object of class ' . get_class($value);
            case 'resource':
                return 'a resource of type ' . get_resource_type($value);
            case 'resource (closed)':
                return 'a closed resource';
            default:
                return gettype($value);
        }
    }
}
