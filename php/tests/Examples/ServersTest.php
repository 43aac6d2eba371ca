<?php

declare(strict_types=1);

namespace Keepalive\Tests\Examples;

use Keepalive\Tests\Support\Certificates;
use PHPUnit\Framework\Attributes\DataProvider;

/** The example servers, with nc, openssl s_client and rude clients as guests. */
final class ServersTest extends ExamplesTestCase
{
    /** @return array<string, array{string}> */
    public static function servers(): array
    {
        return [
            'tcp/stream-server' => ['tcp/stream-server.php'],
            'tcp/socket-server' => ['tcp/socket-server.php'],
            'ssl/stream-server' => ['ssl/stream-server.php'],
        ];
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testConnectionsOfStandardToolsInheritTheListenersSettings(string $file): void
    {
        [$server, $port] = self::serve($file);
        $tool = strpos($file, 'ssl') === 0
            ? Program::start(
                'openssl',
                's_client',
                '-connect',
                "127.0.0.1:$port",
                '-servername',
                'localhost',
                '-CAfile',
                Certificates::authority(),
                '-verify_return_error'
            )
            : Program::start('nc', '127.0.0.1', $port);
        $tool->type("good morning\n");
        $tool->waitFor(self::answer($file, 'good morning'));

        self::assertTimers(60, "sport = :$port");
        $server->waitFor('/connected: keepalive on, idle 60 s, interval 10 s, count 6\n/');
        self::assertStringContainsString('listener before: ' . self::freshSettings() . "\n", $server->output());
        self::assertStringContainsString(
            "listener after: keepalive on, idle 60 s, interval 10 s, count 6\n",
            $server->output()
        );
        self::assertSame('', $server->errors());
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testSleepsWhileNothingHappens(string $file): void
    {
        [$server, $port] = self::serve($file);
        self::assertSleeps($server);
        $clients = [self::client($file, $port), self::client($file, $port)];
        foreach ($clients as $client) {
            self::assertAnswers($file, $client, 'awake');
        }
        self::assertSleeps($server);
        self::assertTimers(60, "sport = :$port", 2);
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testServesManyAtOnce(string $file): void
    {
        [$server, $port] = self::serve($file);
        $clients = [];
        for ($number = 0; $number < 150; $number++) {
            $clients[] = self::client($file, $port);
        }
        foreach ($clients as $number => $client) {
            fwrite($client, "I am $number\n");
        }
        foreach ($clients as $number => $client) {
            self::assertLineComes($file, $client, "I am $number");
        }
        self::assertTimers(60, "sport = :$port", 150);
        self::assertSame('', $server->errors());
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testSurvivesClientsThatLeaveRudely(string $file): void
    {
        [$server, $port] = self::serve($file);
        $stays = self::client($file, $port);
        for ($i = 0; $i < 5; $i++) {
            self::reset(self::connect($port));                      // before it said anything
            fclose(self::connect($port));
            $half = self::connect($port);
            stream_socket_shutdown($half, STREAM_SHUT_WR);          // a sentence and its end
            fclose($half);
            $midLine = self::client($file, $port);
            fwrite($midLine, 'unfinis');
            fclose($midLine);
            $unread = self::client($file, $port);
            fwrite($unread, str_repeat("more than one reads\n", 2000));
            fclose($unread);                                        // with answers on the way: a RST
        }
        Program::until(static function () use ($port): bool {
            return count(self::ss("state established state close-wait 'sport = :$port'")) === 1;
        }, static function () use ($server): string {
            return "The server keeps connections that have ended:\n" . $server->output() . $server->errors();
        });
        self::assertSleeps($server);
        self::assertAnswers($file, $stays, 'still here');
        self::assertAnswers($file, self::client($file, $port), 'new here');
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testOneWhoDoesNotReadHoldsUpNobodyAndLosesNothing(string $file): void
    {
        [$server, $port] = self::serve($file);
        $slow = self::client($file, $port);
        stream_set_blocking($slow, false);
        $line = str_repeat('x', 99);
        $said = '';
        $accepted = 0;
        // Until neither the kernels nor the server take more: its buffer is bounded.
        for ($quiet = 0; $quiet < 20;) {
            $said .= "$line\n";
            $written = @fwrite($slow, substr($said, $accepted));
            $accepted += (int) $written;
            if ($written === 0) {
                $quiet++;
                usleep(20000);
                self::assertLessThan(100 * 1024 * 1024, $accepted, 'bytes taken from one who does not read');
            }
        }
        self::assertAnswers($file, self::client($file, $port), 'another');
        self::assertSleeps($server);
        self::assertLessThan(60000, $server->memory(), 'kilobytes');

        $expected = substr($said, 0, strrpos(substr($said, 0, $accepted), "\n") + 1);
        if (self::talksBack($file)) {
            $expected = preg_replace('/^/m', 'You said: ', rtrim($expected, "\n")) . "\n";
        }
        $got = '';
        stream_set_blocking($slow, true);
        stream_set_timeout($slow, 5);
        while (strlen($got) < strlen($expected) && ($data = fread($slow, 65536)) !== '' && $data !== false) {
            $got .= $data;
        }
        self::assertSame(strlen($expected), min(strlen($got), strlen($expected)));
        self::assertTrue(strpos($got, $expected) === 0, 'what came back is what was said');
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testOutOfDescriptorsItNeitherSpinsNorForgetsWhoWaits(string $file): void
    {
        [$server, $port] = self::serve($file, Program::exampleWithDescriptors(20, $file, ...self::arguments($file)));
        $clients = [];
        for ($i = 0; $i < 30; $i++) {
            $clients[] = self::connect($port);
        }
        $server->waitFor('/Too many open files/');
        $before = $server->cpuSeconds();
        usleep(1500000);
        self::assertLessThan(0.3, $server->cpuSeconds() - $before, 'processor seconds while full');

        $last = array_pop($clients);
        array_map('fclose', $clients);
        self::assertAnswers($file, self::encrypt($file, $last), 'at last');
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testCtrlCEndsItAndItsPortIsFreeAtOnce(string $file): void
    {
        [$server, $port] = self::serve($file);
        $client = self::client($file, $port);
        self::assertAnswers($file, $client, 'before');
        $server->interrupt();
        self::assertSame(-SIGINT, $server->status());
        self::assertSame('', $server->errors());
        fclose($client);

        [, $again] = self::serve($file, Program::example($file, ...self::arguments($file, '127.0.0.1', $port)));
        self::assertSame($port, $again);
        self::assertAnswers($file, self::client($file, $port), 'after');
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testSaysSoWhenThePortIsTaken(string $file): void
    {
        [, $port] = self::serve($file);
        $second = Program::example($file, ...self::arguments($file, '127.0.0.1', $port));
        self::assertSame(1, $second->status());
        self::assertStringContainsString('Address already in use', $second->errors());
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testListensOnIPv6(string $file): void
    {
        [$server, $port] = self::serve($file, Program::example($file, ...self::arguments($file, '::1')));
        $client = self::encrypt($file, stream_socket_client("tcp://[::1]:$port", $errno, $message, 5));
        self::assertAnswers($file, $client, 'six');
        self::assertTimers(60, "sport = :$port");
        self::assertSame('', $server->errors());
    }

    /** @dataProvider servers */
    #[DataProvider('servers')]
    public function testWithoutFfiToo(string $file): void
    {
        $server = Program::exampleWith(['-d', 'ffi.enable=0'], $file, ...self::arguments($file));
        [, $port] = self::serve($file, $server);
        $client = self::client($file, $port);
        self::assertAnswers($file, $client, 'no FFI');
        self::assertTimers(60, "sport = :$port");
        self::assertSame('', $server->errors());
    }

    public function testTalkbackServerSeesGuestsOffWhoQuitOrNeverEndTheirLine(): void
    {
        [, $port] = self::serve('tcp/socket-server.php');
        $quits = self::connect($port);
        fwrite($quits, "one\r\ntwo\nquit\nthree\n");
        self::assertSame(
            "Hello. Say something, or quit.\nYou said: one\nYou said: two\nGoodbye.\n",
            stream_get_contents($quits)
        );
        $endless = self::connect($port);
        fwrite($endless, str_repeat('x', 9000));
        self::assertStringContainsString('That line is too long.', (string) stream_get_contents($endless));
    }

    public function testTlsServerIsNotHeldUpByThoseWhoDoNotShakeHands(): void
    {
        [$server, $port] = self::serve('ssl/stream-server.php');
        $silent = self::connect($port);
        $plain = self::connect($port);
        fwrite($plain, "this is no TLS at all\n");
        self::assertAnswers('ssl/stream-server.php', self::client('ssl/stream-server.php', $port), 'TLS');
        $server->waitFor('/: no handshake: .*(wrong version number|http request|packet length)/is');
        fread($plain, 100);
        self::assertSame('', fread($plain, 100));
        self::assertTrue(feof($plain));
        self::assertSleeps($server);
        self::assertTrue(is_resource($silent));
    }

    public function testTlsServerSaysWhenTheCertificateIsMissing(): void
    {
        $none = Program::example('ssl/stream-server.php');
        self::assertSame(1, $none->status());
        self::assertStringContainsString('Which certificate?', $none->errors());

        $absent = Program::example('ssl/stream-server.php', '/nowhere/server.pem');
        self::assertSame(1, $absent->status());
        self::assertStringContainsString('/nowhere/server.pem cannot be read', $absent->errors());
    }

    /**
     * Starts it on a free port.
     *
     * @return array{Program, string} with the port
     */
    public static function serve(string $file, ?Program $server = null): array
    {
        $server = $server ?? Program::example($file, ...self::arguments($file));
        return [$server, $server->waitFor('/listening on \S+:(\d+)\n/')[1]];
    }

    /** @return string[] */
    private static function arguments(string $file, string $address = '127.0.0.1', string $port = '0'): array
    {
        $arguments = [$address, $port];
        return strpos($file, 'ssl') === 0 ? array_merge([Certificates::of('localhost')], $arguments) : $arguments;
    }

    /** @return resource */
    private static function connect(string $port)
    {
        $client = stream_socket_client("tcp://127.0.0.1:$port", $errno, $message, 10);
        stream_set_timeout($client, 10);
        return $client;
    }

    /**
     * Connected, and greeted or encrypted where that is the server's way.
     *
     * @return resource
     */
    private static function client(string $file, string $port)
    {
        return self::encrypt($file, self::connect($port));
    }

    /**
     * @param resource $client
     * @return resource
     */
    private static function encrypt(string $file, $client)
    {
        if (strpos($file, 'ssl') === 0) {
            stream_context_set_option($client, 'ssl', 'cafile', Certificates::authority());
            stream_context_set_option($client, 'ssl', 'peer_name', 'localhost');
            self::assertTrue(stream_socket_enable_crypto($client, true, STREAM_CRYPTO_METHOD_TLS_CLIENT));
        }
        if (self::talksBack($file)) {
            self::assertSame("Hello. Say something, or quit.\n", fgets($client));
        }
        return $client;
    }

    /** Closes a plain connection with a RST. @param resource $client */
    private static function reset($client): void
    {
        $linger = ['l_onoff' => 1, 'l_linger' => 0];
        self::assertTrue(socket_set_option(socket_import_stream($client), SOL_SOCKET, SO_LINGER, $linger));
        fclose($client);
    }

    private static function talksBack(string $file): bool
    {
        return $file === 'tcp/socket-server.php';
    }

    private static function answer(string $file, string $words): string
    {
        return '/^' . (self::talksBack($file) ? 'You said: ' : '') . "$words\$/m";
    }

    /** @param resource $client */
    private static function assertAnswers(string $file, $client, string $words): void
    {
        fwrite($client, "$words\n");
        self::assertLineComes($file, $client, $words);
    }

    /** @param resource $client */
    private static function assertLineComes(string $file, $client, string $words): void
    {
        self::assertSame((self::talksBack($file) ? 'You said: ' : '') . "$words\n", fgets($client));
    }
}
