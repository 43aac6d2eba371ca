<?php

declare(strict_types=1);

namespace DeadPeer;

/** Results as people read them: on the terminal, and in the tables of docs/dead-peers.md. */
final class Report
{
    private const ERRORS = [
        0 => 'end of file',
        SOCKET_ETIMEDOUT => 'ETIMEDOUT',
        SOCKET_EHOSTUNREACH => 'EHOSTUNREACH',
        SOCKET_ENETUNREACH => 'ENETUNREACH',
        SOCKET_ECONNREFUSED => 'ECONNREFUSED',
        SOCKET_ECONNRESET => 'ECONNRESET',
    ];

    /** @param array<string, mixed> $result */
    public static function predicted(array $result): string
    {
        return isset($result['predicted'])
            ? self::outcome($result['predicted']['seen'], $result['predicted']['error'], $result['horizon'], 1)
            : '';
    }

    /** @param array<string, mixed> $result */
    public static function measured(array $result): string
    {
        return isset($result['predicted']) ? self::outcome($result['seen'], $result['error'], $result['horizon'], 2) : '';
    }

    private static function outcome(?float $seen, int $error, float $horizon, int $digits): string
    {
        return $seen === null
            ? sprintf('stays (%d s)', $horizon)
            : sprintf("%.{$digits}f s %s", $seen, self::ERRORS[$error] ?? "errno $error");
    }
}
