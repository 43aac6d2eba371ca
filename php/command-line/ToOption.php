<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Internal\Address;

/**
 * --to ADDRESS, which may be given several times.
 *
 * @internal
 */
final class ToOption
{
    /**
     * @return Address[] with the addresses that host names have now
     *
     * @throws UsageError one of them is not an address
     */
    public static function addresses(Arguments $parsed): array
    {
        try {
            return array_map(static function (string $text): Address {
                return Address::of($text)->lookedUp();
            }, $parsed->texts('to'));
        } catch (InvalidArgumentException $wrong) {
            throw new UsageError("--to: {$wrong->getMessage()}");
        }
    }
}
