<?php

declare(strict_types=1);

namespace Keepalive\Tests\Examples;

use Keepalive\Tests\Support\Certificates;
use Keepalive\Tests\Support\Process;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;

/**
 * The example servers, with nc and openssl s_client as clients.
 *
 * @group program
 */
#[Group('program')]
final class ServersTest extends ExamplesTestCase
{
    /** @return array<string, array{string, string[]}> example, flags for PHP */
    public static function servers(): array
    {
        $withoutFfi = ['-d', 'ffi.enable=0'];
        return [
            'tcp/stream-server' => ['tcp/stream-server.php', []],
            'tcp/stream-server without FFI' => ['tcp/stream-server.php', $withoutFfi],
            'tcp/socket-server' => ['tcp/socket-server.php', []],
            'tcp/socket-server without FFI' => ['tcp/socket-server.php', $withoutFfi],
            'ssl/stream-server' => ['ssl/stream-server.php', []], // shows settings of a TLS stream, which needs FFI
        ];
    }

    /**
     * @dataProvider servers
     * @param string[] $flags
     */
    #[DataProvider('servers')]
    public function testEachConnectionInheritsTheListenersSettings(string $file, array $flags): void
    {
        [$server, $port] = self::serve($file, $flags);
        foreach (['good morning', 'and another'] as $words) {
            $guest = self::guest($file, $port);
            $guest->type("$words\n");
            $guest->waitFor("/^$words$/m");
            self::assertTimers(60, "sport = :$port");
            self::assertSleeps($server);
            $guest->signal(SIGINT);
        }
        $server->waitFor('/(closed.*){2}/s');
        $settings = $file === 'tcp/socket-server.php' ? 'idle 60 s' : self::ENABLED;
        self::assertSame(2, preg_match_all('/: ' . preg_quote($settings, '/') . '$/m', $server->output()));
        self::assertSame('', $server->errors());
    }

    public function testTheStreamServerServesManyAtOnce(): void
    {
        [$server, $port] = self::serve('tcp/stream-server.php');
        $clients = [];
        for ($number = 0; $number < 50; $number++) {
            $clients[] = $client = stream_socket_client("tcp://127.0.0.1:$port");
            fwrite($client, "I am $number\n");
        }
        foreach ($clients as $number => $client) {
            self::assertSame("I am $number\n", fgets($client));
        }
        self::assertTimers(60, "sport = :$port", 50);
        self::assertSame('', $server->errors());
    }

    public function testTheTlsServerGoesOnAfterAFailedHandshake(): void
    {
        [$server, $port] = self::serve('ssl/stream-server.php');
        fwrite(stream_socket_client("tcp://127.0.0.1:$port"), "this is not TLS\n");
        $server->waitFor('/wrong version number|http request|packet length/i');
        $guest = self::guest('ssl/stream-server.php', $port);
        $guest->type("but this is\n");
        self::assertSame('but this is', $guest->waitFor('/^but this is$/m')[0]);
    }

    /**
     * @dataProvider servers
     * @param string[] $flags
     */
    #[DataProvider('servers')]
    public function testCtrlCEndsItAndItsPortIsFreeAtOnceButNotTwice(string $file, array $flags): void
    {
        [$server, $port] = self::serve($file, $flags);
        $guest = self::guest($file, $port);
        $guest->type("hello\n");
        $guest->waitFor('/^hello$/m');
        $server->signal(SIGINT);
        self::assertSame(-SIGINT, $server->status());

        [$restarted, $again] = self::serve($file, $flags, $port);
        self::assertSame($port, $again);
        $second = Program::exampleWith($flags, $file, ...self::arguments($file, $port));
        self::assertSame(1, $second->status());
        self::assertStringContainsString('Address already in use', $second->errors());
        self::assertTrue($restarted->isRunning());
    }

    /**
     * Starts it, on a free port unless told otherwise.
     *
     * @param string[] $flags for PHP
     * @return array{Process, string} with the port
     */
    public static function serve(string $file, array $flags = [], string $port = '0'): array
    {
        $server = Program::exampleWith($flags, $file, ...self::arguments($file, $port));
        return [$server, $server->waitFor('/listening on \S+:(\d+)\n/')[1]];
    }

    /** @return string[] */
    private static function arguments(string $file, string $port): array
    {
        return [
            'tcp/socket-server.php' => ['127.0.0.1', $port],
            'tcp/stream-server.php' => ["127.0.0.1:$port"],
            'ssl/stream-server.php' => [Certificates::of('localhost'), "127.0.0.1:$port"],
        ][$file];
    }

    private static function guest(string $file, string $port): Process
    {
        return strpos($file, 'ssl') === 0
            ? Program::start(
                ...['openssl', 's_client', '-quiet', '-connect', "127.0.0.1:$port", '-servername', 'localhost'],
                ...['-CAfile', Certificates::authority(), '-verify_return_error']
            )
            : Program::start('nc', '127.0.0.1', $port);
    }
}
