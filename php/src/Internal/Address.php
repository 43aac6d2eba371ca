<?php

declare(strict_types=1);

namespace Keepalive\Internal;

/**
 * "host:port" and "[IPv6 address]:port", and nothing more: PHP's own functions read a port as far as it looks
 * like a number, and cut that down to 16 bits, which is another port than the one that was named.
 *
 * @internal
 */
final class Address
{
    /** @return array{string, int}|null the host, without brackets, and the port; null for any other form */
    public static function split(string $address): ?array
    {
        // Neither whitespace nor control characters: C's functions end a name at a NUL.
        $form = '/^(?:\[([^][\/\x00-\x20\x7F]+)\]|([^][:\/\x00-\x20\x7F]+)):(\d{1,5})$/D';
        if (
            preg_match($form, $address, $parts) !== 1
            || (int) $parts[3] < 1 || (int) $parts[3] > 65535
            || ($parts[1] !== '' && !self::isIpv6($parts[1]))
        ) {
            return null;
        }
        return [$parts[1] . $parts[2], (int) $parts[3]];
    }

    /** The kernel numbers the interface in fe80::1%2, users name it; a peer's address says enough. */
    public static function withoutScope(string $host): string
    {
        return explode('%', $host, 2)[0];
    }

    public static function isIpv6(string $host): bool
    {
        return filter_var(self::withoutScope($host), FILTER_VALIDATE_IP, FILTER_FLAG_IPV6) !== false;
    }
}
