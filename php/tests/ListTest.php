<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Keepalive;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Kernel;
use Keepalive\Tests\Support\Process;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\TestCase;

/**
 * keepalive list: what it shows of this process, and of all.
 *
 * @group program
 */
#[Group('program')]
final class ListTest extends TestCase
{
    private const COMMAND = [PHP_BINARY, '-d', 'display_errors=stderr', __DIR__ . '/../bin/keepalive', 'list'];

    /** @var resource */
    private $listener;
    /** @var resource */
    private $client;
    private string $address;
    private string $name;

    protected function setUp(): void
    {
        $this->listener = stream_socket_server('tcp://127.0.0.1:0');
        $this->address = stream_socket_get_name($this->listener, false);
        $this->client = stream_socket_client("tcp://$this->address");
        $this->name = stream_socket_get_name($this->client, false);
        Keepalive::enable($this->client, 60, 10, 6, 120000);
    }

    protected function tearDown(): void
    {
        array_map('fclose', [$this->client, $this->listener]);
    }

    public function testAProcess(): void
    {
        $list = self::list('--pid', (string) getmypid());
        self::assertSame([0, ''], [$list->status, $list->errors]);
        self::assertStringStartsWith('process ' . getmypid() . ': ', $list->output);
        $client = sprintf('%5d %-21s %-21s ESTABLISHED 60/10/6+120', Kernel::descriptor($this->client), $this->name, $this->address);
        $listener = sprintf('%5d %-21s %-21s LISTEN      off', Kernel::descriptor($this->listener), $this->address, '-');
        self::assertStringContainsString("\n$client\n", $list->output);
        self::assertStringContainsString("\n$listener\n", $list->output);
        self::assertStringEndsWith("\nkeepalive: idle/interval/count+user timeout, in seconds and probes\n", $list->output);
    }

    public function testJson(): void
    {
        $found = self::ofThis(self::list('--pid', (string) getmypid(), '--json'), $this->name, $this->address);
        self::assertIsFloat($found[0]['silent_for']);
        self::assertEqualsWithDelta(115, $found[0]['gives_up_in'], 6, 'of 120 s; an emulator needs some for all of this');
        unset($found[0]['silent_for'], $found[0]['gives_up_in'], $found[0]['command']);
        self::assertSame([[
            'pid' => getmypid(),
            'shared_with' => [],
            'fd' => Kernel::descriptor($this->client),
            'local' => $this->name,
            'remote' => $this->address,
            'state' => 'ESTABLISHED',
            'enabled' => true,
            'idle' => 60,
            'interval' => 10,
            'count' => 6,
            'user_timeout_ms' => 120000,
            'unanswered_probes' => 0,
            'unacknowledged' => 0,
            'unacknowledged_for' => null,
        ]], $found);
        [$listener] = self::ofThis(self::list('--json'), $this->address, null);
        self::assertSame(['LISTEN', null, false], [$listener['state'], $listener['remote'], $listener['enabled']]);
    }

    public function testEveryProcess(): void
    {
        // It inherits this process's sockets, as the workers of a server do.
        $child = proc_open(['sleep', '60'], [['pipe', 'r']], $pipes);
        $pid = proc_get_status($child)['pid'];
        $json = self::list('--json');
        $text = self::list();
        proc_terminate($child);
        self::assertSame([0, 0], [$json->status, $text->status]);
        $found = self::ofThis($json, $this->name, $this->address);
        self::assertCount(1, $found, 'a socket is shown once');
        $owners = array_merge([$found[0]['pid']], $found[0]['shared_with']);
        sort($owners);
        $expected = [getmypid(), $pid];
        sort($expected);
        self::assertSame($expected, $owners);
        self::assertSame(1, substr_count($text->output, sprintf(' %-21s %-21s ', $this->name, $this->address)));
        self::assertMatchesRegularExpression('/^(keepalive: this user may not look at \d+ of the processes\. .*\n)?$/', $text->errors);
    }

    public function testAProcessWithoutTcpSockets(): void
    {
        $child = new Process(['sleep', '60']);
        $list = self::list('--pid', $pid = (string) $child->pid);
        $json = self::list('--pid', $pid, '--json');
        self::assertSame([0, ''], [$list->status, $list->errors]);
        self::assertMatchesRegularExpression("/^process $pid: .*\n   no TCP sockets\n$/", $list->output);
        self::assertSame([0, ''], [$json->status, $json->output]);
    }

    /** A large server has more processes than a program may have descriptors. */
    public function testMoreProcessesThanDescriptors(): void
    {
        $many = new Process(['setsid', 'sh', '-c', 'for i in $(seq 50); do sleep 60 & done; echo ready; wait']);
        $many->waitFor('/ready/');
        $limited = array_merge(Child::limitedTo(30), self::COMMAND, ['--json']);
        $list = Child::run($limited);
        $forbidden = Child::run(array_merge(['unshare', '-Ur'], $limited));
        posix_kill(-$many->pid, SIGKILL);
        self::assertSame(0, $list->status, $list->errors);
        self::assertCount(1, self::ofThis($list, $this->name, $this->address));
        self::assertSame(0, $forbidden->status, $forbidden->errors);
        self::assertMatchesRegularExpression('/may not look at \d{2,} of the processes/', $forbidden->errors);
    }

    /** @return array<int, array{string}> */
    public static function newCalls(): array
    {
        return [['pidfd_open'], ['pidfd_getfd']];
    }

    /** @dataProvider newCalls */
    #[DataProvider('newCalls')]
    public function testAKernelWithoutTheCallIsAFailure(string $call): void
    {
        $strace = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', "trace=$call", '-e', "inject=$call:error=ENOSYS"];
        $list = Child::run(array_merge($strace, self::COMMAND));
        self::assertSame([1, ''], [$list->status, $list->output]);
        self::assertStringContainsString('ENOSYS: this needs Linux 5.6 or newer.', $list->errors);
    }

    public function testWithoutProc(): void
    {
        $hidden = ['unshare', '-Urm', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh'];
        $list = Child::run(array_merge($hidden, self::COMMAND));
        self::assertSame(
            [1, '', "keepalive: keepalive list needs /proc, which is not mounted here.\n"],
            [$list->status, $list->output, $list->errors]
        );
    }

    public function testAddressesThatAreLong(): void
    {
        $address = '2001:db8:1:2:3:4:5:6';
        $network = ['unshare', '-Urn', 'sh', '-c', "ip link set lo up; ip address add $address dev lo nodad; exec \"\$@\"", 'sh'];
        $command = implode(' ', array_map('escapeshellarg', self::COMMAND));
        $list = Child::php("
            \$listener = stream_socket_server('tcp://[$address]:0');
            \$client = stream_socket_client('tcp://' . stream_socket_get_name(\$listener, false));
            passthru(" . var_export($command, true) . " . ' --pid ' . getmypid());
        ", [], [], null, $network)->cleanOutput();
        $pattern = "/^ *\d+ (\[$address\]:\d+) +(-|\[$address\]:\d+) +(?=(LISTEN|ESTABLISHED) )/m";
        self::assertSame(2, preg_match_all($pattern, $list, $rows), $list);
        self::assertSame(strlen($rows[0][0]), strlen($rows[0][1]), $list);
    }

    public function testWithoutPermissionItSaysOfHowMany(): void
    {
        $list = Child::run(array_merge(['unshare', '-Ur'], self::COMMAND));
        self::assertSame(0, $list->status);
        self::assertMatchesRegularExpression(
            '/^keepalive: this user may not look at \d+ of the processes\. Try as root; keepalive list --pid \d+ says why\.$/',
            $list->errors
        );
    }

    /** @return array<int, array<int, mixed>> */
    public static function refused(): array
    {
        return [
            [2, 'options only; "4711" was given', '4711'],
            [2, 'no option --to', '--to', '*:1'],
            [1, 'ESRCH: there is no such process', '--pid', '2147483647'],
        ];
    }

    /** @dataProvider refused */
    #[DataProvider('refused')]
    public function testWhatItRefuses(int $status, string $says, string ...$arguments): void
    {
        $list = self::list(...$arguments);
        self::assertSame([$status, ''], [$list->status, $list->output]);
        self::assertStringContainsString($says, $list->errors);
    }

    private static function list(string ...$arguments): Child
    {
        return Child::run(array_merge(self::COMMAND, $arguments));
    }

    /** @return array<int, array<string, mixed>> what is said of the socket that has this local address, and is not accepted */
    private static function ofThis(Child $list, string $local, ?string $remote): array
    {
        $sockets = array_map(static function (string $line): array {
            return json_decode($line, true, 8, JSON_THROW_ON_ERROR);
        }, explode("\n", trim($list->output)));
        return array_values(array_filter($sockets, static function (array $socket) use ($local, $remote): bool {
            return [$socket['local'], $socket['remote']] === [$local, $remote];
        }));
    }
}
