<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Exception\InvalidArgumentException;
use Keepalive\Exception\UnavailableException;
use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Sockets;

/** Keepalive::tryToEnableConnectionsTo(): goes on, and reports; and the code of docs/recipes.md about going on. */
final class TryToEnableConnectionsToTest extends KeepaliveTestCase
{
    public function testItDoesWhatEnableConnectionsToDoes(): void
    {
        $pair = Sockets::pair('127.0.0.1');
        $port = Sockets::port($pair->peer);
        self::assertSame(1, Keepalive::tryToEnableConnectionsTo("127.0.0.1:$port", Settings::of(47, 11, 5)));
        self::assertSame(47, $pair->options()['idle']);
        self::assertSame(1, Keepalive::tryToEnableConnectionsTo("127.0.0.1:$port"));
        self::assertSame(60, $pair->options()['idle']);
    }

    public function testAProblemIsReportedOnceWhileItStaysTheSame(): void
    {
        $reports = [];
        $report = static function (string $message, array $context) use (&$reports): void {
            $reports[] = [$message, get_class($context['exception'])];
        };
        $pair = Sockets::pair('127.0.0.1');
        $address = '127.0.0.1:' . Sockets::port($pair->peer);
        self::useBackend('sockets');
        self::assertSame(0, Keepalive::tryToEnableConnectionsTo($address, null, $report));
        self::assertSame(0, Keepalive::tryToEnableConnectionsTo($address, null, $report));
        self::assertCount(1, $reports);
        self::useBackend('ffi');
        self::assertSame(1, Keepalive::tryToEnableConnectionsTo($address, null, $report));
        self::useBackend('sockets');
        self::assertSame(0, Keepalive::tryToEnableConnectionsTo($address, null, $report));
        self::assertCount(2, $reports, 'again after a success');
        foreach ($reports as [$message, $class]) {
            self::assertStringStartsWith("Keepalive was not enabled on the connections to $address: Keepalive::sockets() needs", $message);
            self::assertSame(UnavailableException::class, $class);
        }
        self::assertSame(0, Keepalive::tryToEnableConnectionsTo('nonsense:', null, $report));
        self::assertSame(InvalidArgumentException::class, $reports[2][1]);
    }

    /** A server may name the address of each connection that it accepts. */
    public function testAddressesThatAreFineAreNotKept(): void
    {
        Keepalive::tryToEnableConnectionsTo('192.0.2.1:1');
        $before = memory_get_usage();
        for ($port = 2; $port <= 1000; $port++) {
            Keepalive::tryToEnableConnectionsTo("192.0.2.1:$port");
        }
        self::assertLessThan($before + 10000, memory_get_usage());
    }

    public function testWithoutAReporterItGoesToPhpsErrorLog(): void
    {
        $code = 'foreach ([1, 2] as $turn) { echo Keepalive\Keepalive::tryToEnableConnectionsTo("db.example:"); }';
        $child = Child::php($code, ['-d', 'log_errors=1', '-d', 'error_log=']);
        self::assertSame('00', $child->output);
        self::assertMatchesRegularExpression(
            '/^Keepalive was not enabled on the connections to db\.example:: address must be .*\n$/',
            $child->errors
        );
        $child = Child::php($code, ['-d', 'disable_functions=error_log']);
        self::assertSame('00', $child->cleanOutput());
    }

    /** The two blocks of docs/recipes.md: a PSR-3 logger, and one stream. */
    public function testThePagesLines(): void
    {
        $page = (string) file_get_contents(dirname(__DIR__, 2) . '/docs/recipes.md');
        $tested = '<!-- docs: tested by php/tests/TryToEnableConnectionsToTest.php -->';
        preg_match_all("~^$tested\n```php\n(.*?)^```~ms", $page, $blocks);
        self::assertCount(2, $blocks[1]);
        $child = Child::php(
            'use Keepalive\{Keepalive, Settings};
            use Keepalive\Exception\KeepaliveException;
            final class Logger { public function warning($message, array $context = []): void { echo "W: $message\n"; } }
            $logger = new Logger();
            $server = stream_socket_server("tcp://127.0.0.1:0");
            $stream = stream_socket_client("tcp://" . stream_socket_get_name($server, false));'
            . implode('', $blocks[1])
            . 'echo Keepalive::settings($stream)->userTimeoutMs();',
            ['-d', 'ffi.enable=0']
        );
        self::assertMatchesRegularExpression(
            '/^W: Keepalive was not enabled on the connections to \*:3306: .*\n(.*\n)*13000$/',
            $child->cleanOutput()
        );
    }
}
