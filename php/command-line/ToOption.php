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
     * @return Address[] their names are looked up
     *
     * @throws UsageError one has another form
     */
    public static function addresses(Arguments $parsed): array
    {
        try {
            return array_map(static function (string $text): Address {
                return Address::of($text)->lookedUp();
            }, $parsed->options['to'] ?? []);
        } catch (InvalidArgumentException $wrong) {
            throw new UsageError("--to: {$wrong->getMessage()}");
        }
    }
}
