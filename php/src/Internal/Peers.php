<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\SocketException;
use Keepalive\Exception\UnavailableException;
use Keepalive\OpenSocket;

/**
 * The peers that "db.example:5432" stands for, and which of the open sockets are connected to them.
 *
 * @internal
 */
final class Peers
{
    /** States in which there is a connection to keep alive, or will be. */
    private const STATES = ['ESTABLISHED', 'SYN_SENT', 'SYN_RECV'];

    /** How IPv6 writes IPv4 addresses: this, then the four bytes. */
    private const MAPPED = "\0\0\0\0\0\0\0\0\0\0\xFF\xFF";

    /** @var string[]|null in network byte order, 4 or 16 bytes; null for every address */
    private ?array $addresses;
    private int $port;

    /** @param string[]|null $addresses */
    private function __construct(?array $addresses, int $port)
    {
        $this->addresses = $addresses;
        $this->port = $port;
    }

    /** @param string $address "host:port", "192.0.2.1:port", "[2001:db8::1]:port" or "*:port" */
    public static function at(string $address): self
    {
        $parts = Address::split($address);
        if ($parts === null) {
            throw new InvalidArgumentException(sprintf(
                'address must be "host:port", "[IPv6 address]:port" or "*:port", with a port from 1 to 65535; '
                . '%s was given.',
                Php::describe($address)
            ));
        }
        [$host, $port] = $parts;
        return new self($host === '*' ? null : self::resolve($host, (string) $port), $port);
    }

    public function include(OpenSocket $socket): bool
    {
        [$host, $port] = Address::split($socket->remote()) ?? ['', 0];
        if ($port !== $this->port || !in_array($socket->state(), self::STATES, true)) {
            return false;
        }
        return $this->addresses === null || in_array(self::binary($host), $this->addresses, true);
    }

    /**
     * As clients do it: with getaddrinfo(3), so that hosts files, every address and both families count.
     * PHP has other ways, but gethostbynamel() knows no IPv6, and dns_get_record() no hosts file.
     *
     * @return string[]
     */
    private static function resolve(string $host, string $port): array
    {
        $address = self::binary($host);
        if ($address !== null) {
            return [$address];
        }
        if (!function_exists('socket_addrinfo_lookup')) {
            throw new UnavailableException(
                "To look up the host name \"$host\", the sockets extension is needed (Debian: php-common has it; "
                . 'Docker images: docker-php-ext-install sockets). Without it give an IP address, or "*" for any.'
            );
        }
        Errno::prepare();
        $found = socket_addrinfo_lookup($host, $port, ['ai_socktype' => SOCK_STREAM]);
        if ($found === false || $found === []) {
            $full = Errno::ofFullTable();
            if ($full !== 0) {
                throw new SocketException("Looking up the host name \"$host\" failed: " . Errno::cause($full), $full);
            }
            throw new SocketException(
                "Looking up the host name \"$host\" failed: the system's resolver knows no address for it, or did not "
                . 'answer. Check the name (getent ahosts asks the same way), give an IP address, or "*" for any.'
            );
        }
        $addresses = [];
        foreach ($found as $one) {
            $explained = socket_addrinfo_explain($one)['ai_addr'];
            $addresses[] = (string) self::binary($explained['sin_addr'] ?? $explained['sin6_addr']);
        }
        return $addresses;
    }

    /** Null for what is no IP address. The same bytes for every way to write an address. */
    private static function binary(string $host): ?string
    {
        $address = Address::withoutScope($host);
        if (filter_var($address, FILTER_VALIDATE_IP) === false) { // inet_pton() would warn
            return null;
        }
        $binary = (string) inet_pton($address);
        $isMapped = strncmp($binary, self::MAPPED, strlen(self::MAPPED)) === 0;
        return $isMapped ? substr($binary, strlen(self::MAPPED)) : $binary;
    }
}
