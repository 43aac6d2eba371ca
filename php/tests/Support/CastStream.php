<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** A stream wrapper around a TCP stream, as applications write them: without stream_stat(), with stream_cast() or not. */
final class CastStream
{
    /** @var resource|null set by PHP */
    public $context;

    /** @var resource */
    private $inner;

    private bool $isHidden;

    /** @return resource */
    public static function around(string $address, bool $isHidden = false)
    {
        foreach (array_diff(['cast', 'hidden'], stream_get_wrappers()) as $missing) {
            stream_wrapper_register($missing, self::class);
        }
        return fopen(($isHidden ? 'hidden' : 'cast') . "://$address", 'r+');
    }

    public function stream_open(string $path): bool // phpcs:ignore PSR1.Methods.CamelCapsMethodName
    {
        [$scheme, $address] = explode('://', $path);
        $this->isHidden = $scheme === 'hidden';
        $this->inner = stream_socket_client("tcp://$address");
        return true;
    }

    /** @return resource|false */
    public function stream_cast() // phpcs:ignore PSR1.Methods.CamelCapsMethodName
    {
        return $this->isHidden ? false : $this->inner;
    }
}
