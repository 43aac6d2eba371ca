<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\{InvalidArgumentException, SocketException, UnavailableException};

/**
 * Which remote addresses are meant: "db.example:5432", "10.0.0.0/8:6379", "[2001:db8::/32]:443", "*:3306", "host:*".
 * Without a port, or with "*", it is every port. enableConnectionsTo() and --to take it; the rules of LIBKEEPALIVE_TO
 * are the same without host names and schemes.
 */
final class Address
{
    /** No whitespace or control characters: C ends a name at a NUL. No port alone: C reads 3306 as 0.0.12.234. */
    public const NAME = '(?!\d{1,5}(?::|$))[^][:\/\x00-\x20\x7F]+';
    public const IN_BRACKETS = '[^][\/\x00-\x20\x7F]+';

    private const FORM = '/^(?:(?:tcp|ssl|tls):\/\/)?'
        . '(?:\[(' . self::IN_BRACKETS . ')(?:\/(\d{1,3}))?\]|(' . self::NAME . ')(?:\/(\d{1,2}))?)'
        . '(?::(\d{1,5}|\*))?$/Di';

    /** How IPv6 writes IPv4 addresses: these bytes, then the four. */
    private const MAPPED = "\0\0\0\0\0\0\0\0\0\0\xFF\xFF";

    /** Where a connection goes whose client was told to connect to 0.0.0.0 or :: (a server's "any address"). */
    private const OF_ANY = [
        "\0\0\0\0" => "\x7F\0\0\1",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" => "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
    ];

    /** The name to look up, until then nothing matches; null if there is none. */
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
        $isOfThisForm = preg_match(self::FORM, $text, $parts) === 1;
        [, $ipv6, $ipv6Bits, $host, $bits, $port] = $parts + ['', '', '', '', '', ''];
        $port = $port === '' || $port === '*' ? null : (int) $port;
        $bits .= $ipv6Bits;
        $network = self::network($ipv6 . $host, $bits);
        if ($isOfThisForm && ($port === null || ($port >= 1 && $port <= 65535))) {
            if ($network !== null && ($ipv6 === '' || strpos($ipv6, ':') !== false)) {
                return new self(null, [$network], $port);
            }
            if ($network === null && $host !== '' && $bits === '') {
                return $host === '*' ? new self(null, null, $port) : new self($host, [], $port);
            }
        }
        $forms = '"host:port", "[IPv6 address]:port", "10.0.0.0/8:port" or "*:port", with a port from 1 to 65535, '
            . 'or "*" for every port';
        throw InvalidArgumentException::expected("address must be $forms", $text);
    }

    /** Whether this is one of the addresses; "192.0.2.1:3306" or "[2001:db8::1]:3306", as OpenSocket has them. */
    public function matches(string $remote): bool
    {
        $colon = (int) strrpos($remote, ':');
        $address = self::binary(trim(substr($remote, 0, $colon), '[]'));
        if ($address === null || ($this->port !== null && substr($remote, $colon + 1) !== (string) $this->port)) {
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
            $text = (string) inet_ntop($network) . ($bits === 8 * strlen($network) ? '' : "/$bits");
            $rules[] = strlen($network) === 4 ? "$text:$port" : "[$text]:$port";
        }
        return $rules;
    }

    /**
     * With the addresses that the host name has now; the same object where there is no name. As clients look it up,
     * by getaddrinfo(3): gethostbynamel() has no IPv6, and dns_get_record() does not read the hosts file.
     *
     * @throws SocketException the name has no address, or no name server answers
     * @throws UnavailableException the sockets extension is missing
     */
    public function lookedUp(): self
    {
        if ($this->name === null) {
            return $this;
        }
        if (!extension_loaded('sockets')) {
            throw new UnavailableException("To look up the host name \"$this->name\", the sockets extension is needed. "
                . 'Without it give an IP address, or "*" for any.');
        }
        $found = socket_addrinfo_lookup($this->name, '0', ['ai_socktype' => SOCK_STREAM]); // PHP 7.4 requires a port
        if ($found === false || $found === []) {
            throw new SocketException("Looking up the host name \"$this->name\" failed: the system's resolver knows no "
                . 'address, did not answer, or had no free descriptor. Try getent ahosts, an IP address, or "*" for any.');
        }
        $networks = [];
        foreach ($found as $one) {
            $explained = socket_addrinfo_explain($one)['ai_addr'];
            $networks[] = self::network($explained['sin_addr'] ?? $explained['sin6_addr'], '');
        }
        return new self(null, array_filter($networks), $this->port);
    }

    /** @return array{string, int}|null the address and how many of its bits count; null: no IP address or network */
    private static function network(string $host, string $bits): ?array
    {
        $address = self::binary($host);
        if ($address === null) {
            return null;
        }
        $length = 8 * strlen($address);
        $isMapped = $length === 32 && strpos($host, ':') !== false; // whose bits are counted in the IPv6 form
        $count = $bits === '' ? $length : (int) $bits - ($isMapped ? 8 * strlen(self::MAPPED) : 0);
        return $count >= 0 && $count <= $length ? [$address, $count] : null;
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
        // The kernel numbers the interface in fe80::1%2, users name it; a peer's address says enough.
        $address = explode('%', $host, 2)[0];
        if (filter_var($address, FILTER_VALIDATE_IP) === false) { // inet_pton() would warn
            return null;
        }
        $binary = (string) inet_pton($address);
        $isMapped = strncmp($binary, self::MAPPED, strlen(self::MAPPED)) === 0;
        return $isMapped ? substr($binary, strlen(self::MAPPED)) : $binary;
    }
}
