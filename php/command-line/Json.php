<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

/**
 * Facts for other programs.
 *
 * @internal
 */
final class Json
{
    // A process may call itself something that is not UTF-8.
    private const FLAGS = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE
        | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR;

    /** @param array<string, mixed> $facts */
    public static function line(array $facts): string
    {
        return (string) json_encode($facts, self::FLAGS);
    }
}
