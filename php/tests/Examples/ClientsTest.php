<?php

declare(strict_types=1);

namespace Keepalive\Tests\Examples;

use Keepalive\Tests\Support\Certificates;
use Keepalive\Tests\Support\Process;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;

/**
 * The example clients, with nc and openssl s_server as hosts.
 *
 * @group program
 */
#[Group('program')]
final class ClientsTest extends ExamplesTestCase
{
    /** @return array<string, array{string[], string, bool}> flags for PHP, example, whether it takes host and port apart */
    public static function plainClients(): array
    {
        return [
            'tcp/socket-client' => [[], 'tcp/socket-client.php', true],
            'tcp/socket-client without FFI' => [['-d', 'ffi.enable=0'], 'tcp/socket-client.php', true],
            'tcp/stream-client' => [[], 'tcp/stream-client.php', false],
            'tcp/stream-client without FFI' => [['-d', 'ffi.enable=0'], 'tcp/stream-client.php', false],
        ];
    }

    /** @return array<string, array{string, bool, int, string}> example, whether it takes host and port apart, idle, what it prints */
    public static function tlsClients(): array
    {
        $before = self::json(self::freshSettings());
        return [
            'ssl/stream-client' => ['ssl/stream-client.php', false, 60, "before: $before\nafter:  " . self::ENABLED . "\n"],
            'ssl/connect-then-encrypt-client' => [
                'ssl/connect-then-encrypt-client.php',
                true,
                3,
                'TLSv1.3 ' . self::json([true, 3, 2, 5, 13000]) . "\n",
            ],
        ];
    }

    /**
     * @dataProvider plainClients
     * @param string[] $flags
     */
    #[DataProvider('plainClients')]
    public function testTalksToNcUntilItCloses(array $flags, string $file, bool $apart): void
    {
        $nc = Program::start('nc', '-lvn', '127.0.0.1', '0');
        $port = $nc->waitFor('/Listening on \S+ (\d+)/')[1];
        $client = Program::exampleWith($flags, $file, ...self::address('127.0.0.1', $port, $apart));
        $nc->waitFor('/^hello$/m');
        $nc->type("good evening\n");
        $client->waitFor('/^good evening$/m');

        self::assertTimers(60, "dport = :$port");
        self::assertSleeps($client);
        $nc->signal(SIGINT);
        self::assertSame(0, $client->status());
        self::assertStringEndsWith("good evening\nthe server has closed\n", $client->output());
        self::assertSame('', $client->errors());
    }

    /**
     * @dataProvider plainClients
     * @param string[] $flags
     */
    #[DataProvider('plainClients')]
    public function testFailsWhereNobodyListensAndTellsOfABrokenConnection(array $flags, string $file, bool $apart): void
    {
        $refused = Program::exampleWith($flags, $file, ...self::address('127.0.0.1', self::closedPort(), $apart));
        self::assertSame(1, $refused->status());
        self::assertStringContainsString('Connection refused', $refused->errors());

        $listener = stream_socket_server('tcp://127.0.0.1:0');
        $client = Program::exampleWith($flags, $file, ...self::address('127.0.0.1', self::port($listener), $apart));
        $accepted = stream_socket_accept($listener, 10);
        self::assertSame("hello\n", fgets($accepted));
        $linger = ['l_onoff' => 1, 'l_linger' => 0];
        self::assertTrue(socket_set_option(socket_import_stream($accepted), SOL_SOCKET, SO_LINGER, $linger));
        fclose($accepted);
        self::assertSame(0, $client->status());
        self::assertMatchesRegularExpression('/^(the connection broke, or .*|Connection reset by peer)$/m', $client->output());
    }

    /** @dataProvider tlsClients */
    #[DataProvider('tlsClients')]
    public function testTalksTlsToOpensslUntilItCloses(string $file, bool $apart, int $idle, string $shown): void
    {
        [$server, $port] = self::openssl('localhost');
        $client = self::tlsClient($file, 'localhost', $port, $apart);
        $server->waitFor('/^hello$/m');
        $server->type("good evening\n");
        $client->waitFor('/^good evening$/m');

        self::assertTimers($idle, "dport = :$port");
        self::assertSleeps($client);
        $server->type("Q\n");
        self::assertSame(0, $client->status());
        self::assertSame("{$shown}good evening\nthe server has closed, or keepalive found it gone\n", $client->output());
        self::assertSame('', $client->errors());
    }

    /**
     * The same without what they set: PHPUnit takes no more values than the test has parameters.
     *
     * @return array<string, array{string, bool}>
     */
    public static function tlsExamples(): array
    {
        return array_map(static function (array $client): array {
            return array_slice($client, 0, 2);
        }, self::tlsClients());
    }

    /** @dataProvider tlsExamples */
    #[DataProvider('tlsExamples')]
    public function testRefusesACertificateThatIsAnothersOrSelfMade(string $file, bool $apart): void
    {
        [$server, $port] = self::openssl('a.test');
        $client = self::tlsClient($file, 'localhost', $port, $apart);
        self::assertSame(1, $client->status());
        self::assertStringContainsString('did not match expected', $client->errors());

        [$server, $port] = self::openssl('localhost');
        $client = Program::example($file, ...self::address('localhost', $port, $apart));
        self::assertSame(1, $client->status());
        self::assertStringContainsString('certificate verify failed', $client->errors());
    }

    public function testParallelClientTalksToManyAndSaysWhoseConnectionFailed(): void
    {
        [$server, $port] = ServersTest::serve('tcp/stream-server.php');
        $closed = self::closedPort();
        $client = Program::example('tcp/parallel-client.php', "127.0.0.1:$port", "127.0.0.1:$closed", "127.0.0.1:$port");
        foreach (["0 (127.0.0.1:$port)", "2 (127.0.0.1:$port)"] as $name) {
            $name = preg_quote($name, '/');
            $client->waitFor("/^$name: " . preg_quote(self::ENABLED, '/') . '$/m');
            $client->waitFor("/^$name: hello$/m");
        }
        $client->waitFor("/^1 \(127\.0\.0\.1:$closed\): no connection$/m");
        self::assertTimers(60, "dport = :$port", 2);
        self::assertSleeps($client);
        $server->signal(SIGINT);
        self::assertSame(0, $client->status());
        self::assertSame(2, preg_match_all('/: closed, or /', $client->output()));
        self::assertSame('', $client->errors());
    }

    public function testParallelClientSetsKeepaliveBeforeThereIsAConnection(): void
    {
        // A listener whose queue is full answers nothing: the next connection waits in SYN_SENT.
        $context = stream_context_create(['socket' => ['backlog' => 0]]);
        $flags = STREAM_SERVER_BIND | STREAM_SERVER_LISTEN;
        $listener = stream_socket_server('tcp://127.0.0.1:0', $errno, $message, $flags, $context);
        $port = self::port($listener);
        $first = stream_socket_client("tcp://127.0.0.1:$port", $errno, $message, 5);
        $strace = tempnam(sys_get_temp_dir(), 'keepalive-strace-');
        $client = Program::start(
            ...['strace', '-f', '-o', $strace, '-e', 'trace=connect,setsockopt,ppoll,poll,pselect6,select'],
            ...[PHP_BINARY, Program::EXAMPLES . 'tcp/parallel-client.php', "127.0.0.1:$port"]
        );
        Process::poll(static function () use ($port): bool {
            return count(self::ss("state syn-sent 'dport = :$port'")) === 1;
        }, static function () use ($client): string {
            return $client->errors();
        });
        $accepted = stream_socket_accept($listener, 5);
        $second = stream_socket_accept($listener, 10); // the kernel's next SYN, a second later, is answered
        self::assertSame("hello\n", fgets($second));
        $calls = (string) file_get_contents($strace);
        unlink($strace);
        self::assertMatchesRegularExpression('/EINPROGRESS.*TCP_KEEPIDLE, \[60\].*SO_KEEPALIVE, \[1\].* p?select/s', $calls);
        fclose($second);
        self::assertTrue(is_resource($first) && is_resource($accepted));
    }

    /** @return array<string, array{string[]}> flags for PHP */
    public static function withAndWithoutFfi(): array
    {
        return ['with FFI' => [[]], 'without FFI' => [['-d', 'ffi.enable=0']]];
    }

    /**
     * @dataProvider withAndWithoutFfi
     * @param string[] $flags
     */
    #[DataProvider('withAndWithoutFfi')]
    public function testUdpIsRefusedAndUntouched(array $flags): void
    {
        $udp = Program::exampleWith($flags, 'udp-refused.php');
        self::assertSame(0, $udp->status(), $udp->errors());
        self::assertMatchesRegularExpression(
            '/^.*failed on stream #\d+ \(udp_socket\): ENOPROTOOPT: .*\nSO_KEEPALIVE is 0\nbool\(true\)\nSO_KEEPALIVE is 1\n$/',
            $udp->output()
        );
        self::assertSame('', $udp->errors());
    }

    /** @return array{Process, string} with the port */
    private static function openssl(string $certificate): array
    {
        $server = Program::start(
            ...['openssl', 's_server', '-accept', '127.0.0.1:0', '-naccept', '1'],
            ...['-cert', Certificates::of($certificate)]
        );
        return [$server, $server->waitFor('/^ACCEPT \S+:(\d+)$/m')[1]];
    }

    private static function tlsClient(string $file, string $host, string $port, bool $apart): Process
    {
        $script = [Program::EXAMPLES . $file];
        $command = array_merge([PHP_BINARY], Program::SHOWN, $script, self::address($host, $port, $apart));
        return new Process($command, ['SSL_CERT_FILE' => Certificates::authority()]);
    }

    /** @return string[] arguments */
    private static function address(string $host, string $port, bool $apart): array
    {
        return $apart ? [$host, $port] : ["$host:$port"];
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
