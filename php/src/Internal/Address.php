<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\SocketException;
use Keepalive\Exception\UnavailableException;

/**
 * Which remote addresses are meant: "db.example:5432", "10.0.0.0/8:6379", "[2001:db8::/32]:443", "*:3306", "host:*".
 *
 * The form that enableConnectionsTo() and --to take; the rules of LIBKEEPALIVE_TO are the same without host names
 * and schemes. Without a port, or with "*", it is every port. A host name matches nothing until it was looked up.
 *
 * @internal
 */
final class Address
{
    /** Neither whitespace nor control characters: C's functions end a name at a NUL. */
    private const NAME = '[^][:\/\x00-\x20\x7F]+';
    private const IN_BRACKETS = '[^][\/\x00-\x20\x7F]+';

    /** How IPv6 writes IPv4 addresses: these bytes, then the four. */
    private const MAPPED = "\0\0\0\0\0\0\0\0\0\0\xFF\xFF";

    /** Where a connection goes whose client was told to connect to 0.0.0.0 or :: (a server's "any address"). */
    private const OF_ANY = [
        "\0\0\0\0" => "\x7F\0\0\1",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" => "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
    ];

    /** The name to look up; null if there is none. */
    private ?string $name;

    /** @var array<array{string, int}>|null addresses in network byte order, and how many bits count; null: any */
    private ?array $networks;

    /** null: any */
    private ?int $port;

    /** @param array<array{string, int}>|null $networks */
    private function __construct(?string $name, ?array $networks, ?int $port)
    {
        $this->name = $name;
        $this->networks = $networks;
        $this->port = $port;
    }

    /** @throws InvalidArgumentException the text has another form */
    public static function of(string $text): self
    {
        $form = '/^(?:(?:tcp|ssl|tls):\/\/)?'
            . '(?:\[(' . self::IN_BRACKETS . ')(?:\/(\d{1,3}))?\]|(' . self::NAME . ')(?:\/(\d{1,2}))?)'
            . '(?::(\d{1,5}|\*))?$/Di';
        $isOfThisForm = preg_match($form, $text, $parts) === 1;
        [, $ipv6, $ipv6Bits, $host, $bits, $port] = $parts + ['', '', '', '', '', ''];
        $port = $port === '' || $port === '*' ? null : (int) $port;
        if ($isOfThisForm && ($port === null || self::isPort($port)) && ($ipv6 === '' || self::isIpv6($ipv6))) {
            $host .= $ipv6;
            $bits .= $ipv6Bits;
            $network = self::network($host, $bits === '' ? null : (int) $bits);
            if ($network !== null) {
                return new self(null, [$network], $port);
            }
            if ($bits === '') {
                return $host === '*' ? new self(null, null, $port) : new self($host, [], $port);
            }
        }
        throw new InvalidArgumentException(sprintf(
            'address must be "host:port", "[IPv6 address]:port", "10.0.0.0/8:port" or "*:port", with a port from 1 to '
            . '65535, or "*" for every port; %s was given.',
            Php::describe($text)
        ));
    }

    /** Whether this is one of the addresses; "192.0.2.1:3306" or "[2001:db8::1]:3306", as OpenSocket has them. */
    public function matches(string $remote): bool
    {
        [$host, $port] = self::split($remote) ?? ['', 0];
        $address = self::binary($host);
        if ($address === null || ($this->port !== null && $port !== $this->port)) {
            return false;
        }
        foreach ($this->networks ?? [[$address, 0]] as [$network, $bits]) {
            $network = $bits === 8 * strlen($network) ? self::OF_ANY[$network] ?? $network : $network;
            if (self::beginAlike($address, $network, $bits)) {
                return true;
            }
        }
        return false;
    }

    /** @return string[] the same as rules of LIBKEEPALIVE_TO; a host name may become several */
    public function rules(): array
    {
        $port = $this->port ?? '*';
        $rules = $this->networks === null ? ["*:$port"] : [];
        foreach ($this->networks ?? [] as [$network, $bits]) {
            $text = inet_ntop($network) . ($bits === 8 * strlen($network) ? '' : "/$bits");
            $rules[] = strlen($network) === 4 ? "$text:$port" : "[$text]:$port";
        }
        return $rules;
    }

    /**
     * With the addresses that the host name has now; the same object where there is no name.
     *
     * As clients do it: with getaddrinfo(3), so that hosts files, every address and both families count.
     * PHP's other functions are not enough: gethostbynamel() has no IPv6, and dns_get_record() does not read the hosts
     * file.
     *
     * @throws SocketException the name has no address, or no name server answers
     * @throws UnavailableException the sockets extension is missing
     */
    public function lookedUp(): self
    {
        $name = $this->name;
        if ($name === null) {
            return $this;
        }
        if (!function_exists('socket_addrinfo_lookup')) {
            throw new UnavailableException(
                "To look up the host name \"$name\", the sockets extension is needed (" . Php::packageOf('sockets')
                . '). Without it give an IP address, or "*" for any.'
            );
        }
        Errno::prepare();
        $found = socket_addrinfo_lookup($name, '0', ['ai_socktype' => SOCK_STREAM]); // PHP 7.4 requires a port
        if ($found === false || $found === []) {
            $full = Errno::ofFullTable();
            if ($full !== 0) {
                throw new SocketException("Looking up the host name \"$name\" failed: " . Errno::cause($full), $full);
            }
            throw new SocketException(
                "Looking up the host name \"$name\" failed: the system's resolver knows no address for it, or did not "
                . 'answer. Check the name (getent ahosts asks the same way), give an IP address, or "*" for any.'
            );
        }
        $networks = [];
        foreach ($found as $one) {
            $explained = socket_addrinfo_explain($one)['ai_addr'];
            $networks[] = self::network($explained['sin_addr'] ?? $explained['sin6_addr'], null);
        }
        return new self(null, array_filter($networks), $this->port);
    }

    /**
     * "host:port" and "[IPv6 address]:port", and nothing more: PHP's own functions read only the digits of a port and
     * cut the number down to 16 bits, which gives another port.
     *
     * @return array{string, int}|null the host, without brackets, and the port; null for any other form
     */
    public static function split(string $address): ?array
    {
        $form = '/^(?:\[(' . self::IN_BRACKETS . ')\]|(' . self::NAME . ')):(\d{1,5})$/D';
        if (
            preg_match($form, $address, $parts) !== 1
            || !self::isPort((int) $parts[3])
            || ($parts[1] !== '' && !self::isIpv6($parts[1]))
        ) {
            return null;
        }
        return [$parts[1] . $parts[2], (int) $parts[3]];
    }

    /** Whether two texts name the same end of a connection. */
    public static function isSame(string $one, string $other): bool
    {
        $end = self::split($one);
        return $end !== null && self::binary($end[0]) !== null && self::of($one)->matches($other);
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

    private static function isPort(int $port): bool
    {
        return $port >= 1 && $port <= 65535;
    }

    /** @return array{string, int}|null the address and how many of its bits count; null: not an IP address or network */
    private static function network(string $host, ?int $bits): ?array
    {
        $address = self::binary($host);
        if ($address === null) {
            return null;
        }
        $length = 8 * strlen($address);
        if ($bits === null) {
            $bits = $length;
        } elseif ($length === 32 && self::isIpv6($host)) {
            $bits -= 8 * strlen(self::MAPPED); // they are counted in the IPv6 form
        }
        return $bits >= 0 && $bits <= $length ? [$address, $bits] : null;
    }

    private static function beginAlike(string $one, string $other, int $bits): bool
    {
        $whole = intdiv($bits, 8);
        if (strlen($one) !== strlen($other) || strncmp($one, $other, $whole) !== 0) {
            return false;
        }
        $rest = $bits % 8;
        return $rest === 0 || (ord($one[$whole]) ^ ord($other[$whole])) >> (8 - $rest) === 0;
    }

    /** In network byte order, the same for every way to write an address; null for anything else. */
    private static function binary(string $host): ?string
    {
        $address = self::withoutScope($host);
        if (filter_var($address, FILTER_VALIDATE_IP) === false) { // inet_pton() would warn
            return null;
        }
        $binary = (string) inet_pton($address);
        $isMapped = strncmp($binary, self::MAPPED, strlen(self::MAPPED)) === 0;
        return $isMapped ? substr($binary, strlen(self::MAPPED)) : $binary;
    }
}
