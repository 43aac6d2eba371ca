<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** A stream wrapper with nothing but what opens: PHP warns of every other method that it misses. */
final class BareWrapper
{
    /** @var resource|null set by PHP */
    public $context;

    // phpcs:disable PSR1.Methods.CamelCapsMethodName -- PHP's names
    public function stream_open(string $path, string $mode, int $options, ?string &$opened): bool
    {
        return true;
    }

    public function dir_opendir(string $path, int $options): bool
    {
        return true;
    }
    // phpcs:enable
}
