<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\CommandLine\Watch\Ending;
use Keepalive\CommandLine\Watch\Forecast;
use Keepalive\CommandLine\Watch\Sample;
use Keepalive\Settings;
use Keepalive\Status;
use Keepalive\Tests\Support\Certificates;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Process;
use Keepalive\Tests\Support\TlsServer;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\TestCase;

/**
 * keepalive watch: its output while real peers die, with and without a terminal, and how it ends.
 *
 * Those of the group once compare tenths of seconds: they need a machine that is not busy.
 *
 * @group program
 */
#[Group('program')]
final class WatchTest extends TestCase
{
    private const COMMAND = __DIR__ . '/../bin/keepalive';
    private const HOSTS = __DIR__ . '/../../lab/hosts';

    /** Of Support/watched.php, played side by side. */
    private const SCENARIOS = ['dead', 'dead-on-a-terminal', 'rebooted', 'closed', 'process', 'process-on-a-terminal', 'dead-in-json', 'process-in-json'];

    /** Seconds by which giving up after 4 s may come late: an eighth by the kernel, a look each 0.1 s, a busy machine. */
    private const SLACK = 1.2;

    /** @var array<string, array{output: string, status: int, seconds: float}> */
    private static array $results = [];

    public static function setUpBeforeClass(): void
    {
        $running = [];
        foreach (self::SCENARIOS as $scenario) {
            $command = [self::HOSTS, 'run', PHP_BINARY, __DIR__ . '/Support/watched.php', $scenario];
            // Without the caller's wishes for colours.
            $running[$scenario] = new Process($command, ['TERM' => 'xterm', 'NO_COLOR' => '']);
        }
        foreach ($running as $scenario => $process) {
            $process->status();
            $text = $process->output();
            $result = json_decode($text, true);
            if (!is_array($result)) {
                throw new \RuntimeException("$scenario could not be played: $text{$process->errors()}");
            }
            $result['output'] = self::withoutAnsweredProbes($result['output']);
            self::$results[$scenario] = $result;
        }
    }

    /** @group once */
    #[Group('once')]
    public function testADeadPeerInLines(): void
    {
        ['output' => $output, 'status' => $status, 'seconds' => $seconds] = self::$results['dead'];
        self::assertSame(3, $status, $output);
        // The last answer came up to a second before the cut.
        self::assertGreaterThan(2.9, $seconds, $output);
        self::assertLessThan(4 + self::SLACK, $seconds, $output);
        self::assertForecastsComeTrue($output);
        self::assertMatchesRegularExpression(
            '/^connecting to tcp:\/\/192\.0\.2\.2:7000
192\.0\.2\.2:7000 from 192\.0\.2\.1:\d+ ESTABLISHED
idle 1 s, interval 1 s, count 3, no user timeout
if the peer stays silent, the kernel gives up in \d\.\d s
(heard from the peer after \d\.\d s of silence
)+probe 1 of 3 sent after \d\.\d s of silence; gives up in \d\.\d s
probe 2 of 3 sent after \d\.\d s of silence; gives up in \d\.\d s
probe 3 of 3 sent after \d\.\d s of silence; gives up in \d\.\d s
ETIMEDOUT after [45]\.\d s of silence: nothing was answered
$/',
            self::withoutTimes($output)
        );
        self::assertFitsInEightyColumns($output);
    }

    /** @group once */
    #[Group('once')]
    public function testTheDocumentationShowsTheSame(): void
    {
        $document = (string) file_get_contents(__DIR__ . '/../../docs/why-not-noticed.md');
        self::assertSame(1, preg_match('/```console\n\$ keepalive watch [^\n]*\n(.*?)```/s', $document, $example));
        $pattern = static function (string $lines): string {
            $numbers = (string) preg_replace('/\d+/', 'N', self::withoutTimes($lines));
            return (string) preg_replace('/(heard from .*\n)+/', '$1', $numbers); // as often as there was time
        };
        self::assertSame($pattern(self::$results['dead']['output']), $pattern($example[1]));
    }

    /** @group once */
    #[Group('once')]
    public function testADeadPeerOnATerminal(): void
    {
        ['output' => $output, 'status' => $status] = self::$results['dead-on-a-terminal'];
        self::assertSame(3, $status, $output);
        $text = self::withoutSequences($output);
        foreach (
            [
                '/^keepalive watch  tcp:\/\/192\.0\.2\.2:7000 +q ends it$/m',
                '/^  peer      192\.0\.2\.2:7000  \(from 192\.0\.2\.1:\d+\)$/m',
                '/^  state     ESTABLISHED$/m',
                '/^  settings  idle 1 s, interval 1 s, count 3, no user timeout$/m',
                '/^  heard     2\.[5-9] s ago$/m',
                '/^  probes    none of 3 sent$/m',
                '/^  probes    2 of 3 unanswered$/m',
                '/^  timer     keepalive: next probe in 0\.\d s$/m',
                '/^  timer     keepalive: the last probe is out$/m',
                '/^  gives up  in 0\.\d s, if nothing is heard$/m',
                '/^ {12}\[=+\|=+\|=*\.+\|\.*\] [34]\.\d s$/m',
                '/^ +\d\.\d s  probe 3 of 3 sent after/m',
            ] as $expected
        ) {
            self::assertMatchesRegularExpression($expected, $text);
        }
        self::assertFitsInEightyColumns($text);
        self::assertSame(1, preg_match_all('/\e\[31m.*ETIMEDOUT after 4/', $output), 'how it ended, in red');
        // The cursor is visible again, and only the lines are left on the screen.
        self::assertStringEndsWith("\e[?25h", $output);
        self::assertStringNotContainsString('gives up  ', substr($text, (int) strpos($text, 'ETIMEDOUT')));
    }

    public function testAPeerThatHasForgottenTheConnection(): void
    {
        ['output' => $output, 'status' => $status, 'seconds' => $seconds] = self::$results['rebooted'];
        self::assertSame(4, $status, $output);
        self::assertLessThan(1 + self::SLACK, $seconds, $output);
        self::assertStringContainsString('[2001:db8::2]:7000 from [2001:db8::1]:', $output);
        self::assertStringEndsWith("of silence: the peer has reset the connection\n", $output);
    }

    public function testAnOrderlyEnd(): void
    {
        ['output' => $output, 'status' => $status] = self::$results['closed'];
        self::assertSame(0, $status, $output);
        self::assertStringEndsWith("orderly end, the peer has closed the connection\n", $output);
        self::assertStringNotContainsString('probe', $output);
    }

    public function testAnotherProcess(): void
    {
        ['output' => $output, 'status' => $status] = self::$results['process'];
        self::assertSame(0, $status, $output);
        $lines = explode("\n", trim(self::withoutTimes($output)));
        self::assertMatchesRegularExpression('/^watching process \d+: .*php/', array_shift($lines));
        self::assertSame('the process has ended', array_pop($lines));
        $bySocket = [];
        foreach ($lines as $line) {
            [$socket, $change] = explode(': ', $line, 2);
            $bySocket[$socket][] = $change;
        }
        [$idle, $writing, $without] = array_values($bySocket);
        self::assertMatchesRegularExpression('/^192\.0\.2\.2:7000 from 192\.0\.2\.1:\d+ ESTABLISHED$/', $idle[0]);
        self::assertSame('idle 1 s, interval 1 s, count 3, no user timeout', $idle[1]);
        self::assertCount(3, preg_grep('/^probe [123] of 3 sent after/', $idle));
        self::assertMatchesRegularExpression('/^ETIMEDOUT after 4\.\d s of silence/', end($idle));

        self::assertSame('idle 5 s, interval 1 s, count 9, user timeout 3 s', $writing[1]);
        $writing = array_values(preg_grep('/^heard /', $writing, PREG_GREP_INVERT)); // on a slow machine, before the cut
        self::assertMatchesRegularExpression('/^data is not acknowledged, no probes: gives up in [012]\.\d s$/', $writing[3]);
        self::assertMatchesRegularExpression('/^given up after .* nothing was acknowledged$/', $writing[4]);

        self::assertSame(
            [
                'keepalive is off, no user timeout',
                'data is not acknowledged, no user timeout: gives up in ~15 min',
                'closed by the process',
            ],
            array_slice($without, 1)
        );
        self::assertFitsInEightyColumns($output);
    }

    public function testAnotherProcessOnATerminal(): void
    {
        ['output' => $output, 'status' => $status] = self::$results['process-on-a-terminal'];
        self::assertSame(0, $status, $output);
        $text = self::withoutSequences($output);
        foreach (
            [
                '/^  fd peer                  state       keepalive     heard probes timer gives up$/m',
                '/^ +\d+ 192\.0\.2\.2:7000 +ESTABLISHED 1\/1\/3 +\d\.\ds +[12]\/3 +0\.\ds +[12]\.\ds$/m',
                '/^ +\d+ \[2001:db8::2\]:7000 +ESTABLISHED 5\/1\/9\+3 +\d\.\ds +- +\d\.\ds +[12]\.\ds$/m',
                '/^ +\d+ 192\.0\.2\.2:7000 +ESTABLISHED off +\d\.\ds +- +\d\.\ds +~15 min$/m',
                '/^ +\d+ 192\.0\.2\.2:7000 +ESTABLISHED off +\d\.\ds +- +- +never$/m',
                '/^     keepalive: idle\/interval\/count\+user timeout, in seconds and probes$/m',
            ] as $expected
        ) {
            self::assertMatchesRegularExpression($expected, $text);
        }
        self::assertFitsInEightyColumns($text);
    }

    public function testADeadPeerInJson(): void
    {
        ['output' => $output, 'status' => $status] = self::$results['dead-in-json'];
        self::assertSame(3, $status, $output);
        $lines = self::objects($output);
        $events = array_column($lines, 'event');
        self::assertSame(['connecting', 'opened', 'settings', 'forecast', 'heard'], array_slice($events, 0, 5));
        self::assertSame(['probe', 'probe', 'probe', 'ended'], array_slice($events, -4));
        $last = end($lines);
        self::assertMatchesRegularExpression('/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d$/', $last['time']);
        self::assertMatchesRegularExpression('/^ETIMEDOUT after 4\.\d s of silence: nothing was answered$/', $last['text']);
        self::assertSame('ETIMEDOUT', $last['how']);
        self::assertSame('tcp://192.0.2.2:7000', $last['address']);
        self::assertSame('192.0.2.2:7000', $last['remote']);
        self::assertSame([1, 2, 3], array_column(array_slice($lines, -4, 3), 'unanswered_probes'));
        self::assertSame([true, 1, 1, 3, 0], [$last['enabled'], $last['idle'], $last['interval'], $last['count'], $last['user_timeout_ms']]);
    }

    public function testAnotherProcessInJson(): void
    {
        ['output' => $output, 'status' => $status] = self::$results['process-in-json'];
        self::assertSame(0, $status, $output);
        $lines = self::objects($output);
        self::assertSame('watching', $lines[0]['event']);
        self::assertSame('process ended', end($lines)['event']);
        self::assertCount(1, array_unique(array_column($lines, 'pid')));
        self::assertCount(count($lines), array_column($lines, 'pid'));
        $unacknowledged = array_filter($lines, static function (array $line): bool {
            return $line['event'] === 'unacknowledged';
        });
        self::assertCount(2, $unacknowledged, $output);
        $how = array_column($lines, 'how');
        sort($how);
        self::assertSame(['ETIMEDOUT', 'closed by the process', 'given up'], $how);
    }

    /** @return array<int, array<string, mixed>> */
    private static function objects(string $output): array
    {
        return array_map(static function (string $line): array {
            return json_decode($line, true, 4, JSON_THROW_ON_ERROR);
        }, explode("\n", rtrim($output)));
    }

    public function testMoreSocketsThanTheTerminalHasLines(): void
    {
        $process = self::start([PHP_BINARY, '-d', "x=\e[5m", __DIR__ . '/programs/many-sockets.php']);
        $process->line();
        $pid = $process->pid;
        $watch = self::onTerminal("stty rows 12; exec %s --pid $pid");
        $panel = $watch->waitFor('/\e\[J\e\[\?7l(.*?)\e\[\?7h/s'); // the second, in place of the first
        $watch->type('q');
        self::assertSame(0, $watch->status(), $output = $watch->output());
        $process->signal(SIGTERM);
        self::assertStringContainsString("     and 38 more\r\n", $output);
        self::assertSame(10, substr_count($panel[1], "\n"));
        self::assertStringContainsString("process $pid: " . PHP_BINARY . ' -d x= [5m ', $output);
        self::assertStringNotContainsString("\e[5m", $output);
        self::assertStringNotContainsString("\e[1m", $output, 'NO_COLOR');
    }

    public function testATerminalThatIsNarrow(): void
    {
        $listener = stream_socket_server('tcp://127.0.0.1:0');
        $address = 'tcp://' . stream_socket_get_name($listener, false);
        $detail = self::onNarrowTerminal($address);
        self::assertContains('keepalive watch  tcp://127.0.0.1..  Ctrl-C ends it', $detail);
        self::assertContains('  settings  idle 60 s, interval 10 s, count 6, n..', $detail);

        $client = stream_socket_client($address);
        $table = self::onNarrowTerminal('--pid ' . getmypid());
        self::assertContains('  fd peer                  state       keepalive', $table);
        fclose($client);
    }

    /**
     * In the background, too, where a program that set the terminal's modes would be stopped.
     *
     * @return string[] the first panel, which 50 columns have room for
     */
    private static function onNarrowTerminal(string $arguments): array
    {
        // timeout runs it in the background, in a process group that gets SIGINT as by Ctrl-C.
        $shell = self::onTerminal("stty cols 50; exec 3<&0; timeout 60 %s $arguments <&3 & echo \"timeout is $!\"; wait");
        [, $timeout] = $shell->waitFor('/^timeout is (\d+)/m');
        $panel = $shell->waitFor('/\e\[\?7l(.*?)\e\[\?7h/s');
        posix_kill(-(int) $timeout, SIGINT);
        $shell->status();
        $lines = explode("\n", self::withoutSequences($panel[1]));
        self::assertSame([], preg_grep('/.{51}/', $lines));
        return array_map('rtrim', $lines);
    }

    /** Without Enter; afterwards the terminal's settings are as before. */
    public function testQEndsIt(): void
    {
        $listener = stream_socket_server('tcp://127.0.0.1:0');
        $address = 'tcp://' . stream_socket_get_name($listener, false);
        $shell = 'stty -g; timeout --foreground 20 ' . self::command() . " $address; echo \"status $?\"; stty -g";
        $process = self::start(['script', '-qec', $shell, '/dev/null']);
        $process->waitFor('/q ends it/');
        $process->type('q');
        self::assertSame(0, $process->status(), $output = $process->output());
        self::assertSame(1, preg_match('/^([0-9a-f:]+)\n.*\nstatus 0\n([0-9a-f:]+)\n$/s', self::withoutSequences($output), $modes), $output);
        self::assertSame($modes[1], $modes[2]);
    }

    /** keepalive watch ... | head -1: it ends, and leaves the terminal as it was. */
    public function testItsOutputCannotBeWritten(): void
    {
        $listener = stream_socket_server('tcp://127.0.0.1:0');
        $watch = self::command() . ' tcp://' . stream_socket_get_name($listener, false);
        $shell = "stty -g; (timeout --foreground 20 $watch; echo \"status $?\" >&2) | head -n 1; stty -g";
        $process = self::start(['script', '-qec', $shell, '/dev/null']);
        self::assertSame(0, $process->status(), $output = $process->output());
        self::assertSame(1, preg_match('/^(\S+)\n *0\.\d s  connecting.*\nstatus 1\n(\S+)\n$/s', self::withoutSequences($output), $modes), $output);
        self::assertSame($modes[1], $modes[2]);
    }

    public function testCtrlCEndsItCleanly(): void
    {
        $listener = stream_socket_server('tcp://127.0.0.1:0');
        $address = 'tcp://' . stream_socket_get_name($listener, false);
        $process = self::start(['script', '-qec', self::command() . " $address", '/dev/null']);
        $process->waitFor('/q ends it/');
        $process->type("\x03");
        self::assertSame(130, $process->status());
        self::assertStringEndsWith("\e[?25h", $process->output());
    }

    public function testATlsConnection(): void
    {
        $server = new TlsServer(['local_cert' => Certificates::of('localhost')]);
        $command = [PHP_BINARY, self::COMMAND, 'watch', "tls://localhost:$server->port", '--idle', '1'];
        $untrusting = Child::run($command);

        $process = self::start($command, ['SSL_CERT_FILE' => Certificates::authority()]);
        $process->waitFor('/heard from the peer/');
        unset($server); // its "hello" was thrown away, else this would be a reset
        self::assertSame(0, $process->status(), $output = $process->output());
        self::assertStringEndsWith("orderly end, the peer has closed the connection\n", $output);

        self::assertSame(1, $untrusting->status);
        self::assertStringContainsString('certificate verify failed', $untrusting->errors);
    }

    /** @return array<int, array<int, mixed>> */
    public static function signals(): array
    {
        return [
            [SIGINT, 130],
            [SIGTERM, 143],
        ];
    }

    /** @dataProvider signals */
    #[DataProvider('signals')]
    public function testASignalEndsIt(int $signal, int $status): void
    {
        $listener = stream_socket_server('tcp://127.0.0.1:0');
        $address = 'tcp://' . stream_socket_get_name($listener, false);
        $watch = self::start([PHP_BINARY, self::COMMAND, 'watch', $address]);
        $watch->waitFor('/idle 60 s, interval 10 s, count 6/');
        $watch->signal($signal);
        self::assertSame([$status, ''], [$watch->status(), $watch->errors()]);
    }

    public function testAProcessThatHasEndedButIsStillThere(): void
    {
        $parent = self::start([PHP_BINARY, __DIR__ . '/programs/zombie.php']);
        $watch = Child::run([PHP_BINARY, self::COMMAND, 'watch', '--pid', trim($parent->line())]);
        $parent->type("\n");
        $parent->status();
        self::assertSame([0, ''], [$watch->status, $watch->errors]);
        self::assertMatchesRegularExpression('/^watching process \d+\nthe process has ended\n$/', self::withoutTimes($watch->output));
    }

    public function testWithoutThePermissionToLook(): void
    {
        // In a user namespace of its own, nobody may debug the processes outside.
        $listener = stream_socket_server('tcp://127.0.0.1:0');
        $command = ['unshare', '-Ur', PHP_BINARY, self::COMMAND, 'watch', '--pid', (string) getmypid()];
        $watch = Child::run(array_merge(['timeout', '20'], $command));
        fclose($listener);
        self::assertSame([1, ''], [$watch->status, $watch->output]);
        self::assertStringContainsString('EPERM: this needs the permission to debug', $watch->errors);
    }

    public function testWithoutFfi(): void
    {
        $watch = Child::run([PHP_BINARY, '-d', 'ffi.enable=0', self::COMMAND, 'watch', 'tcp://127.0.0.1:1']);
        self::assertSame([1, ''], [$watch->status, $watch->output]);
        self::assertStringStartsWith('keepalive: watch needs FFI', $watch->errors);
        self::assertStringEndsWith(" start PHP with -d ffi.enable=1.\n", $watch->errors);
        self::assertStringNotContainsString('Keepalive::', $watch->errors);
    }

    /** @return array<int, array<int, mixed>> */
    public static function refused(): array
    {
        return [
            [2, 'an address or --pid'],
            [2, 'another', 'tcp://a:1', 'b'],
            [2, 'an address or --pid', 'tcp://a:1', '--pid', '1'],
            [2, '--pid takes a number from 1 to 2147483647; "0"', '--pid', '0'],
            [2, '--pid may be given once only', '--pid', '1', '--pid', '2'],
            [2, '--idle takes a number from 1 to 32767; "" was given', 'tcp://a:1', '--idle'],
            [2, 'no option --with', 'tcp://a:1', '--with=it'],
            [2, 'changes nothing', '--pid', '1', '--idle', '4'],
            [2, 'changes nothing', '--pid', '1', '--json', '--count', '4'],
            [2, 'such as tcp://db.example:5432; "localhost" was given', 'localhost'],
            [2, 'such as tcp://db.example:5432; "http://localhost:80" was given', 'http://localhost:80'],
            [2, '32767', 'tcp://127.0.0.1:1', '--idle', '32768'],
            [1, 'ESRCH', '--pid', '2147483647'],
        ];
    }

    /** @dataProvider refused */
    #[DataProvider('refused')]
    public function testWhatItRefuses(int $status, string $says, string ...$arguments): void
    {
        $watch = Child::run(array_merge([PHP_BINARY, self::COMMAND, 'watch'], $arguments));
        self::assertSame([$status, ''], [$watch->status, $watch->output]);
        self::assertStringContainsString($says, $watch->errors);
        self::assertSame($status === 2, substr($watch->errors, -27) === "\nTry: keepalive help watch\n", $watch->errors);
    }

    public function testAPortThatTheKernelDoesNotHaveIsAWrongCommandLine(): void
    {
        $watch = Child::run([PHP_BINARY, self::COMMAND, 'watch', 'tcp://127.0.0.1:65536']);
        self::assertSame(2, $watch->status);
        self::assertStringContainsString('a port from 1 to 65535', $watch->errors);
    }

    public function testWhereNobodyListens(): void
    {
        $watch = Child::run([PHP_BINARY, self::COMMAND, 'watch', 'tcp://127.0.0.1:1']);
        self::assertSame([1, "connecting to tcp://127.0.0.1:1\n"], [$watch->status, self::withoutTimes($watch->output)]);
        self::assertStringContainsString('Connection refused', $watch->errors);
    }

    public function testWhileItConnectsItSaysSo(): void
    {
        // Nobody accepts: Linux lets one connection into this queue, and answers no SYN after that.
        $listener = stream_socket_server(
            'tcp://127.0.0.1:0',
            $errno,
            $message,
            STREAM_SERVER_BIND | STREAM_SERVER_LISTEN,
            stream_context_create(['socket' => ['backlog' => 0]])
        );
        $address = 'tcp://' . stream_socket_get_name($listener, false);
        $waiting = stream_socket_client($address);
        $process = self::start([PHP_BINARY, self::COMMAND, 'watch', $address]);
        self::assertSame("connecting to $address\n", self::withoutTimes($process->line()));
        for ($i = 0; $i < 500 && ($entry = self::inTable($listener, $waiting)) === ''; $i++) {
            usleep(10000); // it says so just before
        }
        self::assertStringContainsString(' 02 ', $entry, 'SYN_SENT');
        $process->signal(SIGTERM);
    }

    public function testAConnectionThatIsResetAtOnce(): void
    {
        $server = self::start([PHP_BINARY, __DIR__ . '/programs/reset-server.php']);
        $watch = Child::run([PHP_BINARY, self::COMMAND, 'watch', 'tcp://' . trim($server->line())]);
        $server->status();
        self::assertSame([4, ''], [$watch->status, $watch->errors]);
        self::assertMatchesRegularExpression('/ s  ECONNRESET.*: the peer has reset the connection\n$/', $watch->output);
    }

    public function testAProcessWithoutSockets(): void
    {
        $process = self::start(['sleep', '60']);
        $pid = $process->pid;
        $watch = self::start([PHP_BINARY, self::COMMAND, 'watch', '--pid', (string) $pid]);
        $watch->waitFor('/no TCP sockets/');
        $watch->signal(SIGINT);
        $watch->status();
        $process->signal(SIGTERM);
        self::assertSame("watching process $pid: sleep 60\nno TCP sockets\n", self::withoutTimes($watch->output()));
    }

    public function testTheHelpFitsInEightyColumns(): void
    {
        $help = Child::run([PHP_BINARY, self::COMMAND, 'help', 'watch'])->cleanOutput();
        self::assertStringStartsWith('Usage: keepalive watch ADDRESS', $help);
        self::assertFitsInEightyColumns($help);
    }

    /** @return array<int, array<int, mixed>> */
    public static function errors(): array
    {
        return [
            ['ETIMEDOUT', 3],
            ['ECONNRESET', 4],
            ['EHOSTUNREACH', 5],
            ['ENETUNREACH', 5],
            ['ECONNREFUSED', 5],
        ];
    }

    /** @dataProvider errors */
    #[DataProvider('errors')]
    public function testEachErrorHasItsStatus(string $name, int $status): void
    {
        $ending = Ending::of((int) constant("SOCKET_$name"));
        self::assertSame([$name, $status], [$ending->name, $ending->status]);
    }

    public function testAnotherErrorIsStatusOne(): void
    {
        $ending = Ending::of(SOCKET_ENOBUFS);
        self::assertSame(1, $ending->status);
        self::assertSame(socket_strerror(SOCKET_ENOBUFS), $ending->meaning);
    }

    /**
     * By the rules that tests/deadpeer proves.
     *
     * @return array<string, array{Settings, int, float, float, float|null, float, int}>
     */
    public static function idleConnections(): array
    {
        $settings = Settings::of(10, 5, 3);
        return [
            // settings, unanswered probes, seconds of silence, timer in; probe in, gives up in, probes in all
            'just heard' => [$settings, 0, 0.0, 10.0, 10.0, 25.0, 3],
            'heard since the timer was set' => [$settings, 0, 1.0, 2.0, 9.0, 24.0, 3],
            'one probe is out' => [$settings, 1, 10.5, 4.5, 4.5, 14.5, 3],
            'the last probe is out' => [$settings, 3, 21.0, 4.0, null, 4.0, 3],
            'a timer that is late' => [$settings, 0, 10.4, 0.0, 0.0, 15.0, 3],
            'user timeout as long' => [Settings::of(10, 5, 3, 25000), 0, 0.0, 10.0, 10.0, 25.0, 3],
            'longer user timeout' => [Settings::of(10, 5, 3, 31000), 0, 0.0, 10.0, 10.0, 35.0, 5],
            'shorter user timeout' => [Settings::of(10, 5, 3, 500), 0, 0.0, 10.0, 10.0, 15.0, 1],
            'user timeout, probes out' => [Settings::of(10, 5, 3, 18000), 1, 12.0, 3.0, 3.0, 8.0, 2],
            'user timeout that never comes' => [Settings::of(1, 1, 1, 2147483647), 0, 0.0, 1.0, 1.0, 2147484.0, 2147483],
        ];
    }

    /** While the kernel sends a probe, its table shows no timer. */
    public function testAProbeThatWasSentWhileTheTableWasRead(): void
    {
        $entry = ['local' => '', 'remote' => '', 'timer' => 'none', 'timerAt' => 999.9, 'probes' => 0];
        $sample = new Sample(1000.0, 3, $entry, Settings::of(10, 5, 3), new Status(1, 1, 0, 10100, 60000, 100), null);
        self::assertSame(['keepalive', 5.0, 15.0], [$sample->timer, $sample->timerIn, (new Forecast($sample))->givesUpIn]);
    }

    /** @dataProvider idleConnections */
    #[DataProvider('idleConnections')]
    public function testTheForecastOfAnIdleConnection(
        Settings $settings,
        int $unanswered,
        float $silence,
        float $timerIn,
        ?float $probeIn,
        float $givesUpIn,
        int $probes
    ): void {
        $status = new Status(1, $unanswered, 0, (int) ($silence * 1000), 60000, 100);
        $entry = ['local' => '', 'remote' => '', 'timer' => 'keepalive', 'timerAt' => 1000.0 + $timerIn, 'probes' => $unanswered];
        $forecast = new Forecast(new Sample(1000.0, 3, $entry, $settings, $status, null));
        self::assertEquals(
            [$probeIn, $givesUpIn, $probes],
            [$forecast->probeIn, $forecast->givesUpIn, $forecast->probes]
        );
    }

    /**
     * The entries of the kernel's table for connections to a listener, except one of them, and except old ones in
     * TIME_WAIT (06), whose port was the same.
     *
     * @param resource $listener
     * @param resource $but
     */
    private static function inTable($listener, $but): string
    {
        $port = static function (string $address): string {
            return sprintf(':%04X', (int) substr((string) strrchr($address, ':'), 1));
        };
        $to = $port(stream_socket_get_name($listener, false));
        $from = $port(stream_socket_get_name($but, false));
        $lines = preg_grep("/^ *\d+: \w+:\w+ \w+$to (?!06)/", file('/proc/self/net/tcp') ?: []);
        return implode(preg_grep("/^ *\d+: \w+$from /", $lines ?: [], PREG_GREP_INVERT) ?: []);
    }

    /**
     * What each line says about the time left is when the connection ended, by the lines' own clock. A sample may be
     * late on a busy machine, but not wrong.
     */
    private static function assertForecastsComeTrue(string $output): void
    {
        self::assertSame(1, preg_match('/^ *(\d+\.\d) s  ETIMEDOUT after (\d+\.\d) s/m', $output, $end), $output);
        self::assertGreaterThanOrEqual(4.0, (float) $end[2]);
        $forecast = '/^ *(\d+\.\d) s  probe (\d) of 3 sent after (\d+\.\d) s of silence; gives up in (\d+\.\d) s$/m';
        self::assertSame(3, preg_match_all($forecast, $output, $lines, PREG_SET_ORDER), $output);
        foreach ($lines as [$line, $at, $probe, $silence, $left]) {
            self::assertGreaterThanOrEqual((float) $probe, (float) $silence, $line); // a second each, and no timer is early
            self::assertGreaterThan(-0.3, (float) $end[1] - (float) $at - (float) $left, $output);
            self::assertLessThan(self::SLACK, (float) $end[1] - (float) $at - (float) $left, $output);
        }
    }

    /** Between a probe and its answer are some microseconds, in which the watch may look. */
    private static function withoutAnsweredProbes(string $output): string
    {
        return (string) preg_replace('/^.*probe 1 of 3 sent after .*\n(?=.*heard from the peer)/m', '', $output);
    }

    /** "   12.3 s  " at each line's beginning. */
    private static function withoutTimes(string $output): string
    {
        return (string) preg_replace('/^ *\d+\.\d s  /m', '', $output);
    }

    private static function withoutSequences(string $output): string
    {
        return str_replace("\r", '', (string) preg_replace('/\e\[[?0-9;]*[A-Za-z]/', '', $output));
    }

    private static function assertFitsInEightyColumns(string $text): void
    {
        self::assertStringNotContainsString("\e", $text);
        self::assertSame([], preg_grep('/.{81}/u', explode("\n", $text)));
    }

    private static function command(): string
    {
        return implode(' ', array_map('escapeshellarg', [PHP_BINARY, self::COMMAND, 'watch']));
    }

    /**
     * @param string[] $command
     * @param array<string, string> $environment
     */
    private static function start(array $command, array $environment = []): Process
    {
        return new Process($command, $environment + ['TERM' => 'xterm']);
    }

    /**
     * Without colours.
     *
     * @param string $shell with %s for `keepalive watch`
     */
    private static function onTerminal(string $shell): Process
    {
        return self::start(['script', '-qec', sprintf($shell, self::command()), '/dev/null'], ['NO_COLOR' => '1']);
    }
}
