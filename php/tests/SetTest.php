<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\CommandLine\Process as OtherProcess;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Process;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\TestCase;

/**
 * keepalive set: the sockets of this process, and of others, changed from outside and read back.
 *
 * @group program
 */
#[Group('program')]
final class SetTest extends TestCase
{
    private const COMMAND = [PHP_BINARY, '-d', 'display_errors=stderr', __DIR__ . '/../bin/keepalive', 'set'];

    /** What Settings::detectWithin(30) is; a test of the library ties the two. */
    private const WITHIN_30 = ['on' => 1, 'idle' => 3, 'interval' => 2, 'count' => 5, 'userTimeoutMs' => 13000];

    private const IPPROTO_MPTCP = 262;

    /** @var resource */
    private $listener;
    /** @var resource */
    private $client;
    /** @var resource */
    private $accepted;
    private int $port;
    /** @var array<string, int|null> */
    private array $fresh;

    protected function setUp(): void
    {
        $this->listener = stream_socket_server('tcp://127.0.0.1:0');
        $name = stream_socket_get_name($this->listener, false);
        $this->port = (int) substr((string) strrchr($name, ':'), 1);
        $this->client = stream_socket_client("tcp://$name");
        $this->accepted = stream_socket_accept($this->listener);
        $this->fresh = Kernel::options($this->client);
    }

    protected function tearDown(): void
    {
        array_map('fclose', [$this->client, $this->accepted, $this->listener]);
    }

    public function testConnectionsAndListeners(): void
    {
        $udp = stream_socket_client('udp://127.0.0.1:53');
        [$unix] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        $set = self::set('--within', '30');
        self::assertSame([0, ''], [$set->status, $set->errors]);
        foreach ([$this->client, $this->accepted, $this->listener] as $socket) {
            self::assertSame(self::WITHIN_30, Kernel::options($socket));
        }
        foreach ([$udp, $unix] as $other) {
            self::assertSame(0, Kernel::options($other)['on']);
            self::assertStringNotContainsString('fd ' . Kernel::descriptor($other) . ',', $set->output);
        }
        self::assertStringStartsWith('process ' . getmypid() . ': ', $set->output);
        $ends = '127\.0\.0\.1:' . $this->port . ' from 127\.0\.0\.1:\d+';
        self::assertMatchesRegularExpression(
            '/^fd ' . Kernel::descriptor($this->client) . ", $ends, ESTABLISHED
  before   keepalive is off, no user timeout
  after    idle 3 s, interval 2 s, count 5, user timeout 13 s$/m",
            $set->output
        );
        self::assertStringContainsString(", 127.0.0.1:$this->port, LISTEN\n", $set->output);
    }

    public function testWhatTheListenerAcceptsLaterHasThemToo(): void
    {
        self::set('--within', '30', '--to', "*:$this->port");
        $client = stream_socket_client("tcp://127.0.0.1:$this->port");
        self::assertSame(self::WITHIN_30, Kernel::options(stream_socket_accept($this->listener)));
        self::assertSame($this->fresh, Kernel::options($client), 'its owner opened it afterwards');
    }

    public function testAnIpv4PeerOfAnIpv6Socket(): void
    {
        $listener = stream_socket_server('tcp://[::]:0');
        $port = substr((string) strrchr(stream_socket_get_name($listener, false), ':'), 1);
        $client = stream_socket_client("tcp://127.0.0.1:$port");
        $accepted = stream_socket_accept($listener);
        $remote = stream_socket_get_name($client, false);
        $set = self::set('--within', '30', '--to', $remote);
        self::assertSame([0, self::WITHIN_30], [$set->status, Kernel::options($accepted)]);
        self::assertSame($this->fresh, Kernel::options($listener));
        self::assertStringContainsString("$remote from 127.0.0.1:$port, ESTABLISHED\n", $set->output);
    }

    /** @return array<int, array<int, mixed>> */
    public static function addresses(): array
    {
        return [
            ['127.0.0.1:PORT', true, false, true],
            ['localhost:PORT', true, false, true],
            ['127.0.0.0/8', true, true, true],
            ['*:PORT', true, false, true],
            ['127.0.0.1:1', false, false, false],
            ['10.0.0.0/8:*', false, false, false],
            ['[::1]:PORT', false, false, false],
        ];
    }

    /**
     * For a connection the other end counts, for a listener its own.
     *
     * @dataProvider addresses
     */
    #[DataProvider('addresses')]
    public function testToChooses(string $to, bool $client, bool $accepted, bool $listener): void
    {
        $set = self::set('--within', '30', '--to', str_replace('PORT', (string) $this->port, $to));
        self::assertSame(
            [$client, $accepted, $listener],
            [$this->isOn($this->client), $this->isOn($this->accepted), $this->isOn($this->listener)]
        );
        if (!$client) {
            self::assertSame(3, $set->status);
            self::assertMatchesRegularExpression('/^keepalive: none of .* matches --to; it has \d+\.$/', $set->errors);
        }
    }

    public function testSeveralTo(): void
    {
        $set = self::set('--within', '30', '--to=*:1', "--to=*:$this->port");
        self::assertSame([0, true], [$set->status, $this->isOn($this->client)]);
    }

    public function testDryRunChangesNothing(): void
    {
        $set = self::set('--within', '30', '--to', "*:$this->port", '--dry-run');
        self::assertSame([0, ''], [$set->status, $set->errors]);
        self::assertSame($this->fresh, Kernel::options($this->client));
        self::assertSame(2, substr_count($set->output, "\n  would be idle 3 s, interval 2 s, count 5, user timeout 13 s\n"));
        self::assertStringNotContainsString('after', $set->output);
    }

    /** If the idle time is set while probes are unanswered, the kernel sends one more, which counts. */
    public function testASocketThatHasTheValuesIsLeftAlone(): void
    {
        self::set('--within', '30', '--to', "127.0.0.1:$this->port");
        $trace = tempnam(sys_get_temp_dir(), 'keepalive-trace-');
        $command = array_merge(['strace', '-f', '-e', 'trace=setsockopt', '-o', $trace], self::COMMAND);
        $again = Child::run(array_merge($command, self::thisProcess(), ['--within', '30', '--to', "127.0.0.1:$this->port"]));
        $calls = preg_grep('/setsockopt\(/', file($trace));
        unlink($trace);
        self::assertSame([0, []], [$again->status, $calls]);
        self::assertStringContainsString("\n  already  idle 3 s, interval 2 s, count 5, user timeout 13 s\n", $again->output);
    }

    public function testValues(): void
    {
        $to = ['--to', "*:$this->port"];
        self::set('--idle', '60', '--interval', '10', '--count', '6', '--user-timeout', '120000', ...$to);
        $values = ['on' => 1, 'idle' => 60, 'interval' => 10, 'count' => 6, 'userTimeoutMs' => 120000];
        self::assertSame($values, Kernel::options($this->client));
        $set = self::set('--idle', '60', '--interval', '10', '--count', '9', ...$to);
        self::assertSame(['count' => 9] + $values, ['count' => 9] + Kernel::options($this->client), 'the user timeout stays');
        self::assertStringContainsString('The user timeout of 120 s replaces the count of 9', $set->output);
    }

    public function testOffUndoesIt(): void
    {
        self::set('--within', '30', '--to', "*:$this->port");
        $off = self::set('--off', '--to', "*:$this->port");
        $options = Kernel::options($this->client);
        self::assertSame([0, 0, 0], [$off->status, $options['on'], $options['userTimeoutMs']]);
        self::assertStringContainsString("\n  after    keepalive is off, no user timeout\n", $off->output);
        self::assertStringContainsString("\n  already  ", self::set('--off', '--to', "*:$this->port")->output);
    }

    public function testMptcpHasNoUserTimeout(): void
    {
        $socket = socket_create(AF_INET, SOCK_STREAM, self::IPPROTO_MPTCP);
        self::assertNotFalse($socket, 'this kernel has no MPTCP (sysctl net.mptcp.enabled)');
        socket_bind($socket, '127.0.0.1');
        socket_listen($socket);
        socket_getsockname($socket, $host, $port);
        $set = self::set('--within', '30', '--to', "*:$port");
        self::assertSame([0, ''], [$set->status, $set->errors]);
        self::assertSame([1, 3, 2, 5], array_values(array_slice(Kernel::options($socket), 0, 4)));
        self::assertStringContainsString('An MPTCP socket has no user timeout', $set->output);
        self::assertStringNotContainsString('MPTCP', self::set('--off', '--to', "*:$port")->output);
        self::assertSame(0, Kernel::options($socket)['on']);
    }

    /** keepalive set ... | head -1, or a full disk: the work is done, and the exit status is not that of success. */
    public function testItsOutputCannotBeWritten(): void
    {
        $shell = ['sh', '-c', 'exec "$@" >/dev/full', 'sh'];
        $set = Child::run(array_merge($shell, self::COMMAND, self::thisProcess(), ['--within', '30']));
        self::assertSame(1, $set->status);
        foreach ([$this->client, $this->accepted, $this->listener] as $socket) {
            self::assertSame(self::WITHIN_30, Kernel::options($socket));
        }
    }

    public function testWhatTheKernelRefuses(): void
    {
        // The last of the five calls is refused; then keepalive stays off.
        $strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=setsockopt', '-e', 'inject=setsockopt:error=EPERM:when=5'];
        $arguments = array_merge(self::thisProcess(), ['--within', '30', '--to', "127.0.0.1:$this->port"]);
        $set = Child::run(array_merge($strace, self::COMMAND, $arguments));
        self::assertSame(4, $set->status, $set->output . $set->errors);
        self::assertMatchesRegularExpression('/^  refused  Setting TCP_USER_TIMEOUT=13000, .*EPERM/m', $set->output);
        // The listener, or the connection: whichever has the lower descriptor.
        self::assertSame(1, substr_count($set->output, "\n  after "));
    }

    public function testACallThatReturnsZeroAndDoesNothing(): void
    {
        $strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=setsockopt', '-e', 'inject=setsockopt:retval=0'];
        $set = Child::run(array_merge($strace, self::COMMAND, self::thisProcess(), ['--within', '30']));
        self::assertSame(4, $set->status, $set->output . $set->errors);
        self::assertStringContainsString("\n  The kernel reports other values than were set: ", $set->output);
        self::assertSame($this->fresh, Kernel::options($this->client));
    }

    public function testASocketThatIsClosedMeanwhile(): void
    {
        $process = new OtherProcess((int) getmypid());
        $fd = Kernel::descriptor($this->client);
        $inode = fstat($this->client)['ino'];
        $work = static function (): bool {
            return true;
        };
        self::assertTrue($process->borrow($fd, $inode, $work));
        self::assertNull($process->borrow($fd, $inode + 1, $work), 'the number is another socket\'s');
        fclose($this->client);
        self::assertNull($process->borrow($fd, $inode, $work));
        $this->client = stream_socket_client("tcp://127.0.0.1:$this->port");
    }

    public function testAProcessWithoutTcpSockets(): void
    {
        $process = new Process(['sleep', '60']);
        $set = Child::run(array_merge(self::COMMAND, ['--within', '30', '--pid', (string) $process->pid]));
        $process->signal(SIGTERM);
        self::assertSame([3, "keepalive: the process has no TCP sockets open.\n"], [$set->status, $set->errors]);
    }

    /** Seen from outside: other namespaces for networks and processes. */
    public function testAProcessInAContainer(): void
    {
        $inside = 'ip link set lo up && exec "$@"';
        $process = new Process(
            ['unshare', '-Urnpf', '--mount-proc', '--kill-child', 'sh', '-c', $inside, 'sh', PHP_BINARY,
                __DIR__ . '/programs/shows-options.php']
        );
        self::assertSame("ready\n", $process->line());
        $unshare = $process->pid;
        $pid = trim((string) file_get_contents("/proc/$unshare/task/$unshare/children"));
        $set = Child::run(array_merge(self::COMMAND, ['--within', '30', '--to', '127.0.0.1:7000', '--pid', $pid]));
        $process->type("\n");
        $options = json_decode($process->line(), true);
        $process->signal(SIGKILL);
        self::assertSame([0, ''], [$set->status, $set->errors], $set->output);
        self::assertSame(self::WITHIN_30, $options);
        self::assertStringContainsString('127.0.0.1:7000 from 127.0.0.1:', $set->output);
    }

    public function testWithoutPermissionOverAnotherUsersProcess(): void
    {
        [$set, $uid] = self::withoutCapability();
        self::assertSame([1, ''], [$set->status, $set->output]);
        self::assertStringContainsString('EPERM: this needs the permission to debug', $set->errors);
        self::assertStringContainsString("It runs as the user with number $uid", $set->errors);
        self::assertStringContainsString('as root (CAP_SYS_PTRACE)', $set->errors);
    }

    public function testWithoutPermissionOverAProtectedProcess(): void
    {
        // PR_SET_DUMPABLE, as ssh-agent and gpg-agent have it
        $worker = 'FFI::cdef("int prctl(int, ...);")->prctl(4, 0); echo "ready\n"; sleep(60);';
        $process = new Process([PHP_BINARY, '-r', $worker]);
        $process->line();
        $command = array_merge(self::withoutPtrace(), self::COMMAND, ['--within', '30', '--pid']);
        $set = Child::run(array_merge($command, [(string) $process->pid]));
        $process->signal(SIGTERM);
        self::assertSame([1, ''], [$set->status, $set->output]);
        self::assertMatchesRegularExpression('/it is setuid, has capabilities|ptrace_scope is [1-3]|seccomp/', $set->errors);
    }

    public function testWithoutPermissionOutsideOfAUserNamespace(): void
    {
        $set = Child::run(array_merge(['unshare', '-Ur'], self::COMMAND, self::thisProcess(), ['--within', '30']));
        self::assertSame(1, $set->status);
        self::assertStringContainsString('CAP_SYS_PTRACE, but not for that process', $set->errors);
    }

    /** @return array<int, array{string, string}> */
    public static function newCalls(): array
    {
        return [['pidfd_open', 'Opening process'], ['pidfd_getfd', "Looking at another process's socket"]];
    }

    /**
     * As on kernels before 5.3 and 5.6.
     *
     * @dataProvider newCalls
     */
    #[DataProvider('newCalls')]
    public function testAKernelWithoutTheCallIsNamed(string $call, string $attempt): void
    {
        $strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', "trace=$call", '-e', "inject=$call:error=ENOSYS"];
        $set = Child::run(array_merge($strace, self::COMMAND, self::thisProcess(), ['--within', '30']));
        self::assertSame([1, '', $this->fresh], [$set->status, $set->output, Kernel::options($this->client)]);
        self::assertMatchesRegularExpression("/^keepalive: $attempt.* failed: ENOSYS: this needs Linux 5\.6 or newer\.$/m", $set->errors);
    }

    /** @return array<int, array<int, mixed>> */
    public static function refused(): array
    {
        return [
            [2, 'set takes --pid', '--within', '30'],
            [2, '--within alone, or', '--pid', '1'],
            [2, '--within alone, or', '--pid', '1', '--within', '30', '--idle', '5'],
            [2, '--within alone, or', '--pid', '1', '--idle', '60', '--count', '6'],
            [2, '--off without other values', '--pid', '1', '--off', '--within', '30'],
            [2, 'seconds must be an int from 6 to 14400', '--pid', '1', '--within', '5'],
            [2, '--count takes a number from 1 to 127; "128"', '--pid', '1', '--idle', '1', '--interval', '1', '--count', '128'],
            [2, '--user-timeout takes a number from 0 to 2147483647; "-1"', '--pid', '1', '--user-timeout', '-1'],
            [2, '--pid takes a number from 1 to 2147483647; "me"', '--pid', 'me', '--within', '30'],
            [2, '--to: address must be', '--pid', '1', '--within', '30', '--to', 'a:b:c'],
            [2, '--to takes a value', '--pid', '1', '--within', '30', '--to'],
            [2, '--off takes no value', '--pid', '1', '--off=5'],
            [2, 'no option --json', '--pid', '1', '--json'],
            [2, 'options only; "4711" was given', '--within', '30', '4711'],
            [1, 'ESRCH: there is no such process', '--pid', '2147483647', '--within', '30'],
            [1, 'Looking up the host name "nowhere.invalid" failed', '--pid', '1', '--within', '30', '--to', 'nowhere.invalid:1'],
        ];
    }

    /** @dataProvider refused */
    #[DataProvider('refused')]
    public function testWhatItRefuses(int $status, string $says, string ...$arguments): void
    {
        $set = Child::run(array_merge(self::COMMAND, $arguments));
        self::assertSame([$status, ''], [$set->status, $set->output]);
        self::assertStringContainsString($says, $set->errors);
        self::assertSame($status === 2, substr($set->errors, -25) === "\nTry: keepalive help set\n", $set->errors);
    }

    /** @return string[] */
    private static function thisProcess(): array
    {
        return ['--pid', (string) getmypid()];
    }

    private static function set(string ...$arguments): Child
    {
        return Child::run(array_merge(self::COMMAND, self::thisProcess(), $arguments));
    }

    /** @param resource $socket */
    private function isOn($socket): bool
    {
        return Kernel::options($socket)['on'] === 1;
    }

    /** @return string[] what to run a command under that is not to have CAP_SYS_PTRACE */
    private static function withoutPtrace(): array
    {
        return posix_geteuid() === 0 ? ['setpriv', '--bounding-set', '-sys_ptrace'] : [];
    }

    /** @return array{Child, int} what it said of another user's process, and that user */
    private static function withoutCapability(): array
    {
        $arguments = ['--within', '30', '--pid'];
        if (posix_geteuid() !== 0) {
            return [Child::run(array_merge(self::COMMAND, $arguments, ['1'])), 0];
        }
        $process = new Process(['setpriv', '--reuid=65534', 'sleep', '60']);
        $pid = (string) $process->pid;
        for ($i = 0; $i < 1000 && trim((string) file_get_contents("/proc/$pid/comm")) !== 'sleep'; $i++) {
            usleep(5000);
        }
        $set = Child::run(array_merge(self::withoutPtrace(), self::COMMAND, $arguments, [$pid]));
        $process->signal(SIGTERM);
        return [$set, 65534];
    }
}
