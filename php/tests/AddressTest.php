<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Internal\Address;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

/** The one form of address: what it matches and what is refused. preload/src/rules.rs has the same rows. */
final class AddressTest extends TestCase
{
    /** @return array<array{string, string, bool}> */
    public static function addresses(): array
    {
        return [
            ['*:3306', '192.0.2.1:3306', true],
            ['*:3306', '[2001:db8::1]:3306', true],
            ['*:3306', '192.0.2.1:3307', false],
            ['*', '192.0.2.1:1', true],
            ['*:*', '[::1]:65535', true],
            ['10.0.0.0/8', '10.255.0.1:1', true],
            ['10.0.0.0/8', '11.0.0.1:1', false],
            ['10.0.0.0/8:6379', '10.1.2.3:6379', true],
            ['10.0.0.0/8:6379', '10.1.2.3:6380', false],
            ['10.0.0.77/8', '10.1.2.3:1', true],
            ['10.16.0.0/12:*', '10.31.2.3:1', true],
            ['10.16.0.0/12:*', '10.32.2.3:1', false],
            ['10.0.0.5:5432', '10.0.0.5:5432', true],
            ['10.0.0.5:5432', '10.0.0.4:5432', false],
            ['10.0.0.5:*', '10.0.0.5:1', true],
            ['10.0.0.5', '10.0.0.5:1', true],
            ['0.0.0.0/0', '203.0.113.9:80', true],
            ['0.0.0.0/0', '[2001:db8::1]:80', false],
            ['10.0.0.5/32', '10.0.0.5:1', true],
            ['[2001:db8::/32]:443', '[2001:db8:ffff::1]:443', true],
            ['[2001:db8::/32]:443', '[2001:db9::1]:443', false],
            ['[2001:db8::/32]:443', '[2001:db8::1]:80', false],
            ['[2001:db8::/45]:*', '[2001:db8:7::1]:80', true],
            ['[2001:db8::/45]:*', '[2001:db8:8::1]:80', false],
            ['[2001:db8::1]', '[2001:db8::1]:9', true],
            ['[2001:db8::1]:*', '[2001:db8::2]:9', false],
            ['[2001:DB8:0:0:0:0:0:1]:9', '[2001:db8::1]:9', true],
            ['[::/0]', '[2001:db8::1]:80', true],
            ['[::/0]', '192.0.2.1:80', false],
            // IPv4 in IPv6 counts as IPv4.
            ['[::ffff:10.0.0.5]:80', '10.0.0.5:80', true],
            ['[::ffff:10.0.0.5/128]:80', '10.0.0.5:80', true],
            ['10.0.0.5:80', '[::ffff:10.0.0.5]:80', true],
            ['[::ffff:10.0.0.0/104]:80', '10.9.9.9:80', true],
            ['[::ffff:10.0.0.0/104]:80', '11.9.9.9:80', false],
            ['[fe80::1%eth0]:22', '[fe80::1%2]:22', true],
            ['tcp://10.0.0.5:5432', '10.0.0.5:5432', true],
            ['TLS://10.0.0.0/8:5432', '10.0.0.5:5432', true],
            ['ssl://[2001:db8::1]:443', '[2001:db8::1]:443', true],
            // Clients that connect to "any address" are connected to the loopback.
            ['0.0.0.0:80', '127.0.0.1:80', true],
            ['[::]:80', '[::1]:80', true],
            ['0.0.0.0:80', '10.0.0.5:80', false],
            ['0.0.0.0/8:80', '127.0.0.1:80', false],
            ['ssl://*:443', '10.0.0.5:5432', false],
            ['*', '', false],
        ];
    }

    /** @dataProvider addresses */
    #[DataProvider('addresses')]
    public function testAnAddressMatchesWhatItNamesAndNothingElse(string $address, string $remote, bool $expected): void
    {
        self::assertSame($expected, Address::of($address)->matches($remote));
        self::assertSame($expected, Address::of($address)->lookedUp()->matches($remote));
    }

    public function testAHostNameMatchesOnceItWasLookedUp(): void
    {
        $address = Address::of('localhost:80');
        self::assertFalse($address->matches('127.0.0.1:80'));
        self::assertTrue($address->lookedUp()->matches('127.0.0.1:80'));
        self::assertFalse($address->lookedUp()->matches('127.0.0.1:81'));
        self::assertTrue(Address::of('localhost')->lookedUp()->matches('127.0.0.1:81'));
    }

    /** @return array<array{string}> */
    public static function otherForms(): array
    {
        return array_map(static function (string $form): array {
            return [$form];
        }, [
            '',
            ':5432',
            '5432', // for getaddrinfo() an IPv4 address
            '5432:*',
            'tcp://5432:5432',
            'db.example:',
            'db.example:0',
            'db.example:65536',
            'db.example:70968',
            'db.example:postgresql',
            'db.example:-1',
            'db.example:+5432',
            'db.example:5432x',
            'db.example:005432',
            'db.example:**',
            'db.example:5432 ',
            "db.example:5432\n",
            "db.example:5432\0",
            "db.example\0:5432",
            "db.example\n:5432",
            'db.example:5432/path',
            'db.example/8:5432',
            'db.example:1:2',
            'udp://db.example:5432',
            'https://db.example/',
            'user@tcp://db.example',
            '[::1%l o]:5432',
            "[::1%\0]:5432",
            '::1:5432',
            '2001:db8::1',
            '[2001:db8::1',
            '[2001:db8::1]443',
            '[2001:db8::1]:',
            '[127.0.0.1]:5432',
            '[db.example]:5432',
            '[*]:1',
            '*/8',
            '*:1,*:2',
            '10.0.0.0/33',
            '10.0.0.0/-1',
            '10.0.0.0/',
            '10.0.0.0/x',
            '10.0.0/8',
            '10.0.0.5:5432/8',
            '[2001:db8::/129]:1',
            '[::ffff:10.0.0.5/95]',
        ]);
    }

    /** @dataProvider otherForms */
    #[DataProvider('otherForms')]
    public function testAnyOtherFormIsRefused(string $address): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage('address must be "host:port", "[IPv6 address]:port", "10.0.0.0/8:port" or "*:port"');
        Address::of($address);
    }
}
