<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Servers\Support\Servers;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** Servers: the listening sockets have the settings, and what they accept inherits them. */
final class ServersTest extends TestCase
{
    private const OPTIONS = ['on' => 1, 'idle' => 47, 'interval' => 11, 'count' => 5, 'userTimeoutMs' => 102000];

    /** What the server sets itself on each connection, which wins. */
    private const OWN = [
        'https' => [],
        'postgresql' => [],
        'redis' => ['idle' => 300, 'interval' => 100, 'count' => 3], // its tcp-keepalive is 300
    ];

    public function testWhatAServerAcceptsInherits(): void
    {
        $runner = array_merge(['env'], Program::environment(['LIBKEEPALIVE' => '47,11,5,102000']));
        $servers = new Servers('127.0.0.1', $runner, array_keys(self::OWN));
        foreach (self::OWN as $name => $own) {
            $port = $servers->port($name);
            self::assertSame([self::OPTIONS], array_values(Outside::listenersAt($port)), $name);
            $client = new Program(['nc', '127.0.0.1', (string) $port], []);
            $accepted = $client->until('the server to accept', static fn () => Outside::acceptedAt($port));
            usleep(100000); // for what the server sets then
            self::assertSame([array_replace(self::OPTIONS, $own)], array_values(Outside::acceptedAt($port)), $name);
            self::assertNotSame(1, array_values(Outside::connectionsTo($port))[0]['on'], 'the client is without');
        }
    }
}
