<?php

declare(strict_types=1);

namespace Keepalive\Tests\Examples;

use Keepalive\Tests\Support\Certificates;
use PHPUnit\Framework\Attributes\DataProvider;

/** The example clients, with nc, openssl s_server and the example servers as hosts. */
final class ClientsTest extends ExamplesTestCase
{
    private const ENABLED = 'keepalive on, idle 60 s, interval 10 s, count 6';

    /** @return array<string, array{string[], string}> flags for PHP, example */
    public static function plainClients(): array
    {
        return [
            'tcp/socket-client' => [[], 'tcp/socket-client.php'],
            'tcp/socket-client without FFI' => [['-d', 'ffi.enable=0'], 'tcp/socket-client.php'],
            'tcp/stream-client' => [[], 'tcp/stream-client.php'],
            'tcp/stream-client without FFI' => [['-d', 'ffi.enable=0'], 'tcp/stream-client.php'],
        ];
    }

    /** @return array<string, array{string, string[], int, string}> example, last arguments, idle, what it prints */
    public static function tlsClients(): array
    {
        $detectWithin30 = 'keepalive on, idle 3 s, interval 2 s, count 5, user timeout 13000 ms';
        return [
            'ssl/stream-client' => ['ssl/stream-client.php', [], 60, self::ENABLED],
            'ssl/connect-then-encrypt-client' => ['ssl/connect-then-encrypt-client.php', [], 3, $detectWithin30],
            'ssl/connect-then-encrypt-client classical' => [
                'ssl/connect-then-encrypt-client.php',
                ['classical'],
                3,
                $detectWithin30,
            ],
        ];
    }

    /**
     * @dataProvider plainClients
     * @param string[] $flags
     */
    #[DataProvider('plainClients')]
    public function testTalksToNc(array $flags, string $file): void
    {
        [$nc, $port] = self::nc();
        $client = Program::exampleWith($flags, $file, '127.0.0.1', $port);
        $nc->waitFor('/^hello$/m');
        $nc->type("good evening\n");
        $client->waitFor('/^good evening$/m');

        self::assertTimers(60, "dport = :$port");
        $fresh = self::freshSettings();
        self::assertMatchesRegularExpression(
            "/^before:\s+$fresh\nafter:\s+" . self::ENABLED . "\nconnected to .*127\.0\.0\.1.*$port\ngood evening\n\$/",
            $client->output()
        );
        self::assertSleeps($client);
        $nc->interrupt();
        self::assertSame(0, $client->status());
        self::assertStringEndsWith("the server has closed the connection\n", $client->output());
        self::assertSame('', $client->errors());
    }

    /**
     * @dataProvider plainClients
     * @param string[] $flags
     */
    #[DataProvider('plainClients')]
    public function testTalksToBothServers(array $flags, string $file): void
    {
        foreach (['tcp/stream-server.php' => '/^hello$/m', 'tcp/socket-server.php' => '/^You said: hello$/m'] as $server => $answer) {
            foreach (['127.0.0.1', '::1'] as $host) {
                [$serving, $port] = ServersTest::serve($server, Program::example($server, $host, '0'));
                $client = Program::exampleWith($flags, $file, $host, $port);
                $client->waitFor($answer);
                // Both ends are on this machine: client and server each have a timer.
                self::assertTimers(60, "sport = :$port or dport = :$port", 2);
                $serving->interrupt();
                self::assertSame(0, $client->status());
            }
        }
    }

    /**
     * @dataProvider plainClients
     * @param string[] $flags
     */
    #[DataProvider('plainClients')]
    public function testReportsARefusedConnectionAndAnUnknownHost(array $flags, string $file): void
    {
        $refused = Program::exampleWith($flags, $file, '127.0.0.1', self::closedPort());
        self::assertSame(1, $refused->status());
        self::assertStringContainsString('Connection refused', $refused->errors());

        $unknown = Program::exampleWith($flags, $file, 'host.invalid', '7007');
        self::assertSame(1, $unknown->status());
        self::assertMatchesRegularExpression('/host\.invalid.*: \S+/', $unknown->errors());
        self::assertStringNotContainsString('Warning', $unknown->errors());
    }

    /**
     * @dataProvider plainClients
     * @param string[] $flags
     */
    #[DataProvider('plainClients')]
    public function testReportsABrokenConnection(array $flags, string $file): void
    {
        $listener = stream_socket_server('tcp://127.0.0.1:0');
        $client = Program::exampleWith($flags, $file, '127.0.0.1', self::port($listener));
        $accepted = stream_socket_accept($listener, 10);
        self::assertSame("hello\n", fgets($accepted));
        $linger = ['l_onoff' => 1, 'l_linger' => 0];
        self::assertTrue(socket_set_option(socket_import_stream($accepted), SOL_SOCKET, SO_LINGER, $linger));
        fclose($accepted);
        self::assertSame(1, $client->status());
        self::assertStringContainsString('Receiving: ', $client->errors());
    }

    /**
     * @dataProvider tlsClients
     * @param string[] $last
     */
    #[DataProvider('tlsClients')]
    public function testTalksTlsToOpenssl(string $file, array $last, int $idle, string $settings): void
    {
        $server = Program::start(
            'openssl',
            's_server',
            '-accept',
            '127.0.0.1:0',
            '-cert',
            Certificates::of('localhost'),
            '-naccept',
            '1'
        );
        $port = $server->waitFor('/^ACCEPT \S+:(\d+)$/m')[1];
        $client = self::tlsClient($file, '127.0.0.1', $port, $last);
        $server->waitFor('/^hello$/m');
        $server->type("good evening\n");
        $client->waitFor('/^good evening$/m');

        self::assertTimers($idle, "dport = :$port");
        self::assertStringContainsString(self::freshSettings(), $client->output());
        self::assertMatchesRegularExpression("/^after:\s+$settings$/m", $client->output());
        self::assertSleeps($client);
        $server->type("Q\n");
        self::assertSame(0, $client->status());
        self::assertStringEndsWith("the server has closed the connection\n", $client->output());
        self::assertSame('', $client->errors());
    }

    /**
     * @dataProvider tlsClients
     * @param string[] $last
     */
    #[DataProvider('tlsClients')]
    public function testTalksToTheTlsServer(string $file, array $last, int $idle): void
    {
        // PHP 7.4 looks for no IPv6 addresses in certificates.
        $hosts = PHP_VERSION_ID < 80000 ? ['localhost', '127.0.0.1'] : ['localhost', '127.0.0.1', '::1'];
        foreach ($hosts as $host) {
            [, $port] = self::tlsServer($host);
            $client = self::tlsClient($file, $host, $port, $last);
            $client->waitFor('/^hello$/m');
            self::assertTimers($idle, "dport = :$port");
            self::assertTimers(60, "sport = :$port");
            self::assertSame('', $client->errors());
            $client->interrupt();
            self::assertSame(-SIGINT, $client->status());
        }
    }

    /**
     * @dataProvider tlsClients
     * @param string[] $last
     */
    #[DataProvider('tlsClients')]
    public function testRefusesACertificateThatIsAnothersOrSelfMade(string $file, array $last): void
    {
        [, $port] = self::tlsServer('127.0.0.1', 'a.test');
        $client = self::tlsClient($file, '127.0.0.1', $port, $last);
        self::assertSame(1, $client->status());
        self::assertStringContainsString('did not match expected', $client->errors());

        [, $port] = self::tlsServer('127.0.0.1');
        $client = Program::example($file, '127.0.0.1', $port, ...($last === [] ? [] : array_merge([''], $last)));
        self::assertSame(1, $client->status());
        self::assertStringContainsString('certificate verify failed', $client->errors());
    }

    /**
     * @dataProvider tlsClients
     * @param string[] $last
     */
    #[DataProvider('tlsClients')]
    public function testReportsWhereTlsIsRefusedOrNobodyListens(string $file, array $last): void
    {
        $client = self::tlsClient($file, '127.0.0.1', self::closedPort(), $last);
        self::assertSame(1, $client->status());
        self::assertStringContainsString('Connection refused', $client->errors());

        // A plain server reads until the handshake's line ends, and answers what is no TLS.
        [, $port] = ServersTest::serve('tcp/socket-server.php');
        $client = self::tlsClient($file, '127.0.0.1', $port, $last);
        self::assertSame(1, $client->status());
        self::assertMatchesRegularExpression('/wrong version number|packet length/', $client->errors());
    }

    public function testParallelClientTalksToManyAndReportsWhoFails(): void
    {
        [$server, $port] = ServersTest::serve('tcp/stream-server.php');
        [$six, $portSix] = ServersTest::serve('tcp/stream-server.php', Program::example('tcp/stream-server.php', '::1', '0'));
        $closed = self::closedPort();
        $client = Program::example(
            'tcp/parallel-client.php',
            "127.0.0.1:$port",
            "127.0.0.1:$closed",
            "[::1]:$portSix",
            "127.0.0.1:$port"
        );
        foreach (["1 (127.0.0.1:$port)", "3 ([::1]:$portSix)", "4 (127.0.0.1:$port)"] as $name) {
            $name = preg_quote($name, '/');
            $client->waitFor("/^$name before: " . self::freshSettings() . '$/m');
            $client->waitFor("/^$name after: " . self::ENABLED . '$/m');
            $client->waitFor("/^$name connected$/m");
            $client->waitFor("/^$name said: hello$/m");
        }
        $client->waitFor("/^2 \(127\.0\.0\.1:$closed\): connecting: Connection refused$/m");
        self::assertTimers(60, "dport = :$port", 2);
        self::assertTimers(60, "dport = :$portSix");
        self::assertSleeps($client);
        $server->interrupt();
        $six->interrupt();
        self::assertSame(1, $client->status(), 'one has failed');
        self::assertSame(3, preg_match_all('/ closed$/m', $client->output()));
    }

    public function testParallelClientSetsKeepaliveBeforeTheConnectionStands(): void
    {
        // A listener whose queue is full answers nothing: the next connection waits in SYN_SENT.
        $context = stream_context_create(['socket' => ['backlog' => 0]]);
        $flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
        $listener = stream_socket_server('tcp://127.0.0.1:0', $errno, $message, $flags, $context);
        $port = self::port($listener);
        $first = stream_socket_client("tcp://127.0.0.1:$port", $errno, $message, 5);
        $client = Program::example('tcp/parallel-client.php', "127.0.0.1:$port");
        $client->waitFor('/ after: ' . self::ENABLED . '$/m');
        self::assertCount(1, self::ss("state syn-sent 'dport = :$port'"));
        self::assertStringNotContainsString('connected', $client->output());
        self::assertSleeps($client);

        // Room for it: the kernel's next SYN, a second later, is answered.
        $accepted = stream_socket_accept($listener, 5);
        $second = stream_socket_accept($listener, 10);
        self::assertSame("hello\n", fgets($second));
        $local = (int) substr((string) strrchr((string) stream_socket_get_name($second, true), ':'), 1);
        self::assertTimers(60, "sport = :$local and dport = :$port");
        fclose($second);
        self::assertSame(0, $client->status());
        self::assertTrue(is_resource($first) && is_resource($accepted));
    }

    /** @return array<string, array{string[], string}> flags for PHP, host */
    public static function udp(): array
    {
        return [
            'with FFI' => [[], '127.0.0.1'],
            'without FFI' => [['-d', 'ffi.enable=0'], '127.0.0.1'],
            'IPv6' => [[], '::1'],
        ];
    }

    /**
     * @dataProvider udp
     * @param string[] $flags
     */
    #[DataProvider('udp')]
    public function testUdpIsRefusedAndUntouched(array $flags, string $host): void
    {
        $udp = Program::exampleWith($flags, 'udp-refused.php', $host, '7007');
        self::assertSame(0, $udp->status(), $udp->errors());
        self::assertMatchesRegularExpression(
            '/^before: SO_KEEPALIVE is 0\nKeepalive::enable\(\) refuses, with code 92:\n'
                . '.*failed on stream #\d+ \(udp_socket\): ENOPROTOOPT: .*\n'
                . 'after:  SO_KEEPALIVE is 0\n'
                . 'socket_set_option\(\) says true.*\nafter:  SO_KEEPALIVE is 1\n$/',
            $udp->output()
        );
        self::assertSame('', $udp->errors());
    }

    /** @return array{Program, string} with the port */
    private static function nc(): array
    {
        $nc = Program::start('nc', '-lvn', '127.0.0.1', '0');
        return [$nc, $nc->waitFor('/Listening on \S+ (\d+)/')[1]];
    }

    /** @return array{Program, string} with the port */
    private static function tlsServer(string $host, string $certificate = 'localhost'): array
    {
        $file = 'ssl/stream-server.php';
        $arguments = [Certificates::of($certificate), $host === 'localhost' ? '127.0.0.1' : $host, '0'];
        return ServersTest::serve($file, Program::example($file, ...$arguments));
    }

    /** @param string[] $last */
    private static function tlsClient(string $file, string $host, string $port, array $last): Program
    {
        return Program::example($file, $host, $port, Certificates::authority(), ...$last);
    }

    /** @param resource $stream */
    private static function port($stream): string
    {
        return substr((string) strrchr((string) stream_socket_get_name($stream, false), ':'), 1);
    }

    /** A port where nobody listens. */
    private static function closedPort(): string
    {
        return self::port(stream_socket_server('tcp://127.0.0.1:0'));
    }
}
