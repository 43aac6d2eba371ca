<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Support\Kernel;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** LIBKEEPALIVE_TO: which connections and listeners a rule reaches; programs/rules.py opens them. */
final class RulesTest extends TestCase
{
    private const ALL_IPV4 = ['IPv4, blocking', 'IPv4 in IPv6, blocking', 'IPv4, not blocking', 'IPv4 in IPv6, not blocking'];
    private const ALL_IPV6 = ['IPv6, blocking', 'IPv6, not blocking'];
    private const EVERYTHING = [
        'IPv4, blocking', 'IPv6, blocking', 'IPv4 in IPv6, blocking',
        'IPv4, not blocking', 'IPv6, not blocking', 'IPv4 in IPv6, not blocking',
        'other port', 'other address', 'other port, IPv6', 'listening at 127.0.0.3', 'listening at 0.0.0.0',
    ];

    /** @var array{resource[], int, int}|null the servers, their port, and another one */
    private static ?array $servers = null;

    public static function setUpBeforeClass(): void
    {
        // Nobody accepts, so there has to be room for all connections. And each address has to have the port
        // that the first one got by chance.
        $room = stream_context_create(['socket' => ['backlog' => 1000]]);
        $listen = static fn (string $address) => @stream_socket_server(
            "tcp://$address",
            $errno,
            $error,
            STREAM_SERVER_BIND | STREAM_SERVER_LISTEN,
            $room
        );
        for ($try = 0; self::$servers === null && $try < 50; $try++) {
            $ports = [];
            $servers = [];
            foreach ([0, 1] as $one) {
                $servers[] = $first = $listen('127.0.0.1:0');
                $ports[] = $port = (int) explode(':', (string) stream_socket_get_name($first, false))[1];
                $servers[] = $listen("127.0.0.2:$port");
                $servers[] = $listen("[::1]:$port");
            }
            self::$servers = in_array(false, $servers, true) ? null : [$servers, $ports[0], $ports[1]];
        }
        self::assertNotNull(self::$servers, 'no port is free on three addresses');
    }

    public static function tearDownAfterClass(): void
    {
        self::$servers = null;
    }

    /** @return array<string, array{string, string[]}> rules, what they reach */
    public static function rules(): array
    {
        return [
            'a port' => ['*:PORT', array_merge(
                self::ALL_IPV4,
                self::ALL_IPV6,
                ['other address', 'listening at 127.0.0.3']
            )],
            'an address and a port' => ['127.0.0.1:PORT', self::ALL_IPV4],
            'an address' => ['127.0.0.1', array_merge(self::ALL_IPV4, ['other port'])],
            'an address, any port' => ['127.0.0.1:*', array_merge(self::ALL_IPV4, ['other port'])],
            'a network' => ['127.0.0.0/8:PORT', array_merge(self::ALL_IPV4, ['other address', 'listening at 127.0.0.3'])],
            'a small network' => ['127.0.0.2/31:PORT', ['other address', 'listening at 127.0.0.3']],
            'IPv6' => ['[::1]:PORT', self::ALL_IPV6],
            'an IPv6 network' => ['[::/64]', array_merge(self::ALL_IPV6, ['other port, IPv6'])],
            'IPv4, written as IPv6' => ['[::ffff:127.0.0.1]:PORT', self::ALL_IPV4],
            'several' => ['[::1]:OTHER,127.0.0.2', ['other address', 'other port, IPv6']],
            'another network' => ['10.0.0.0/8', []],
            'everything' => ['*', self::EVERYTHING],
            'all of IPv4' => ['0.0.0.0/0', array_merge(
                self::ALL_IPV4,
                ['other port', 'other address', 'listening at 127.0.0.3', 'listening at 0.0.0.0']
            )],
        ];
    }

    /**
     * @dataProvider rules
     * @param string[] $reached
     */
    #[DataProvider('rules')]
    public function testReachesWhatItNamesAndNothingElse(string $rules, array $reached): void
    {
        [, $port, $other] = self::$servers;
        $environment = [
            'LIBKEEPALIVE' => '47,11,5',
            'LIBKEEPALIVE_TO' => strtr($rules, ['PORT' => (string) $port, 'OTHER' => (string) $other]),
        ];
        $command = ['/usr/bin/python3', __DIR__ . '/programs/rules.py', (string) $port, (string) $other];
        $expected = '';
        $fresh = Kernel::defaults()['idle'];
        foreach (self::EVERYTHING as $name) {
            $expected .= "$name: " . (in_array($name, $reached, true) ? "1 47\n" : "0 $fresh\n");
        }
        self::assertSame($expected, Program::run($command, $environment)->cleanOutput());
    }
}
