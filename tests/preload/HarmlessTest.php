<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Folder;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** Programs work as before, and sockets that are not TCP are not touched: programs/harmless.c. */
final class HarmlessTest extends TestCase
{
    private const SET = '1 47 11 5 102000';
    private const ON = ['LIBKEEPALIVE' => '47,11,5,102000'];
    private const RULES = self::ON + ['LIBKEEPALIVE_TO' => '127.0.0.0/8,[::1]'];

    /** What each case prints; %s is SET. */
    private const CASES = [
        'seccomp' => "errno kept\nrefused: 0 DEFAULTS 0\nconnected, errno kept\n",
        'full-table' => "EMFILE\nthe last: %s\n",
        'no-files' => "without files: %s\n",
        'closed' => "before: %s\ndescriptor 3\nafter: %s\n",
        'children' => "fork: %s\nvfork: 1\none: %s\n",
        'threads' => "wrong: 0\n",
        'signals' => "wrong: 0 and 0\n",
        'cancelled' => "cancelled\nonly there\n",
        'own' => self::OWN,
        'mptcp' => "no user timeout\nset and not switched off: 1, user timeout: 0\n",
        'addresses' => "EFAULT EINVAL EINVAL EBADF EBADF EFAULT\n",
        'library' => "found\n",
    ];

    /** Values of the program's own win. Switching off what it has not chosen does not. */
    private const OWN = "all: 1 9 8 7 6000\nsome: 1 9 11 5 102000\nnone: %s\n"
        . "switched off: 0 with its own values, 1 with others'\nwith its own user timeout: 0\n"
        . "set after connect(), which is called again: 10\n";

    private const AS_NOBODY = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', 'env'];

    private static string $folder;

    public static function setUpBeforeClass(): void
    {
        self::$folder = Folder::create();
        chmod(self::$folder, 0755);
        mkdir(self::$folder . '/lib');
        self::compile('harmless', '-O1', '-pthread', '-ldl', '-Wl,-rpath,' . self::$folder . '/lib');
        self::compile('static', '-O1', '-static', '-pthread', '-Ddlopen(file, flags)=NULL');
        Child::run(['gcc', '-shared', '-o', self::$folder . '/lib/libof-the-program.so', '-x', 'c', '/dev/null'])
            ->cleanOutput();
    }

    private static function compile(string $name, string ...$flags): void
    {
        $compile = ['gcc', '-std=c11', '-Wall', '-Wextra', '-Werror', '-o', self::$folder . "/$name"];
        Child::run(array_merge($compile, [__DIR__ . '/programs/harmless.c'], $flags))->cleanOutput();
    }

    public static function tearDownAfterClass(): void
    {
        Folder::remove(self::$folder);
    }

    /** @return array<string, array{string}> */
    public static function cases(): array
    {
        $names = array_keys(self::CASES);
        return array_combine($names, array_map(static fn (string $name) => [$name], $names));
    }

    private static function program(string $name = 'harmless'): string
    {
        return self::$folder . "/$name";
    }

    private static function expected(string $case): string
    {
        $defaults = implode(' ', \Keepalive\Tests\Support\Kernel::defaults());
        return strtr(self::CASES[$case], ['%s' => self::SET, 'DEFAULTS' => $defaults]);
    }

    /** @dataProvider cases */
    #[DataProvider('cases')]
    public function testTheProgramGoesOn(string $case): void
    {
        $child = Program::run([self::program(), $case], self::ON);
        self::assertSame(self::expected($case), $child->cleanOutput());
    }

    /** @dataProvider cases */
    #[DataProvider('cases')]
    public function testTheProgramGoesOnWhileALogIsWritten(string $case): void
    {
        $log = self::$folder . "/log-$case";
        $child = Program::run([self::program(), $case], self::ON + ['LIBKEEPALIVE_LOG' => $log]);
        self::assertSame(self::expected($case), $child->cleanOutput());
        if (!in_array($case, ['full-table', 'no-files', 'library'], true)) {
            self::assertStringContainsString(': socket 3: ', (string) file_get_contents($log));
        }
    }

    public function testValuesOfTheProgramsOwnWinWithRulesToo(): void
    {
        foreach (['own', 'cancelled', 'mptcp', 'addresses', 'seccomp'] as $case) {
            self::assertSame(self::expected($case), Program::run([self::program(), $case], self::RULES)->cleanOutput());
        }
    }

    public function testASysctlThatChangesLaterIsNotTakenForTheProgramsOwnValue(): void
    {
        $withLoopback = ['unshare', '--map-root-user', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', 'env'];
        $program = array_merge(Program::environment(self::RULES), [self::program(), 'sysctl-changes']);
        $child = Child::run(array_merge($withLoopback, $program));
        self::assertSame('afterwards: ' . self::SET . "\n", $child->cleanOutput());
    }

    /** With rules the object first reads what a socket has. */
    public function testTheLogSaysWhereAPolicyRefusesToRead(): void
    {
        $variables = ['LIBKEEPALIVE_LOG' => 'stderr'] + self::RULES;
        $child = Program::run([self::program(), 'seccomp-getsockopt'], $variables);
        self::assertSame("connected\n", $child->output);
        self::assertMatchesRegularExpression('/: socket 4, connecting to [\d.:]+: not set: EPERM: .*\n$/', $child->errors);
    }

    public function testAUserTimeoutOfTheProgramsOwnCountsWhereNoneIsSetHere(): void
    {
        foreach ([[], ['LIBKEEPALIVE_TO' => '127.0.0.1']] as $rules) {
            $child = Program::run([self::program(), 'own'], ['LIBKEEPALIVE' => '47,11,5'] + $rules);
            self::assertStringContainsString("with its own user timeout: 0\n", $child->cleanOutput());
            self::assertStringContainsString(", 1 with others'\n", $child->output);
        }
    }

    /** Once without the object, once with it: the same calls, except for what rules need to know. */
    public function testWhatIsNotTcpIsNotTouched(): void
    {
        $without = self::calls(['LD_PRELOAD' => '']);
        self::assertStringContainsString('AF_NETLINK', $without);
        self::assertStringContainsString('IPPROTO_SCTP', $without);
        self::assertSame($without, self::calls(self::ON));

        $elsewhere = ['LIBKEEPALIVE_TO' => '10.0.0.0/8:80'] + self::ON;
        $lines = static fn (string $calls): array => explode("\n", $calls);
        $more = array_diff($lines(self::calls($elsewhere)), $lines($without));
        self::assertSame(['getsockname'], self::names($more), 'listen() of the unix socket');
        // The kernel refuses it, and nothing changes.
        $more = array_diff($lines(self::calls(self::RULES)), $lines($without));
        self::assertSame(['getsockname', 'getsockopt'], self::names($more));
        foreach ($more as $call) {
            self::assertMatchesRegularExpression('/^getsockname|^getsockopt\(\d+, SOL_TCP, TCP_KEEPIDLE.* = -1 E/', $call);
        }
    }

    /** The socket calls of the case "others", as strace has them, without what differs from run to run. */
    private static function calls(array $environment): string
    {
        $trace = self::$folder . '/trace';
        $only = 'trace=socket,connect,bind,listen,setsockopt,getsockopt,getsockname,getpeername,ioctl,fcntl';
        $strace = ['strace', '-qq', '-e', $only, '-o', $trace, 'env'];
        Child::run(array_merge(
            $strace,
            Program::environment($environment),
            [self::program(), 'others']
        ))->cleanOutput();
        return (string) preg_replace('/nobody-\d+|fcntl\(2, F_GETFL.*\n/', '', (string) file_get_contents($trace));
    }

    /** @param string[] $calls */
    private static function names(array $calls): array
    {
        $names = array_unique(array_map(static fn (string $call): string => explode('(', $call)[0], $calls));
        sort($names);
        return $names;
    }

    /** @return array<string, array{string[]}> */
    public static function otherObjects(): array
    {
        $cases = [];
        $objects = [
            'libkeepalive0' => '/usr/lib/libkeepalive.so.0',
            'libdontdie0' => (string) (glob('/usr/lib/*/libdontdie.so.0')[0] ?? 'missing'),
            'jemalloc' => (string) (glob('/usr/lib/*/libjemalloc.so.2')[0] ?? 'missing'),
        ];
        foreach ($objects as $name => $path) {
            $cases["before $name"] = [[(string) realpath(Program::OBJECT), $path]];
            $cases["after $name"] = [[$path, (string) realpath(Program::OBJECT)]];
        }
        $cases['among all'] = [array_merge(
            [$objects['libkeepalive0'], (string) realpath(Program::OBJECT)],
            [$objects['libdontdie0'], $objects['jemalloc']]
        )];
        return $cases;
    }

    /**
     * @dataProvider otherObjects
     * @param string[] $objects
     */
    #[DataProvider('otherObjects')]
    public function testBesideOtherObjects(array $objects): void
    {
        foreach ($objects as $object) {
            self::assertFileExists($object);
        }
        $environment = ['LD_PRELOAD' => implode(':', $objects)] + self::ON;
        self::assertSame('one: ' . self::SET . "\n", Program::run([self::program(), 'one'], $environment)->cleanOutput());
        // The others set theirs as well; with their own variables the outer one is later, and wins.
        $environment += ['KEEPALIVE' => 'on', 'KEEPIDLE' => '60', 'DD_TCP_KEEPALIVE_TIME' => '61'];
        $said = Program::run([self::program(), 'one'], $environment)->cleanOutput();
        self::assertMatchesRegularExpression('/^one: 1 (47|60|61) \d+ \d+ 102000\n$/', $said);
    }

    /** The loader does not load an object that a user names into a program with another user's rights. */
    public function testSetuidProgramsAreNotReached(): void
    {
        $program = self::program('setuid');
        copy(self::program(), $program);
        chmod($program, 04755);
        $run = static fn (string $program): string
            => Child::run(array_merge(self::AS_NOBODY, Program::environment(self::ON), [$program, 'one']))->output;
        self::assertSame('one: ' . self::SET . "\n", $run(self::program()));
        self::assertStringStartsWith('one: 0 ', $run($program));
    }

    /** /etc/ld.so.preload puts the object into such programs, too: there the variables are ignored. */
    public function testTheCallerOfASetuidProgramDoesNotChooseItsLog(): void
    {
        self::compile('linked', '-O1', '-pthread', '-ldl', '-Wl,--no-as-needed', (string) realpath(Program::OBJECT));
        $program = self::program('linked');
        $log = self::$folder . '/log-of-root';
        $variables = ['LD_PRELOAD' => '', 'LIBKEEPALIVE_LOG' => $log] + self::ON;
        self::assertSame('one: ' . self::SET . "\n", Program::run([$program, 'one'], $variables)->cleanOutput());
        unlink($log);
        chmod($program, 04755);
        $command = array_merge(self::AS_NOBODY, Program::environment($variables), [$program, 'one']);
        self::assertStringStartsWith('one: 0 ', Child::run($command)->cleanOutput());
        self::assertFileDoesNotExist($log);
    }

    public function testAddressSanitizerHasToBeFirst(): void
    {
        self::compile('sanitized', '-O1', '-pthread', '-ldl', '-fsanitize=address');
        $run = static fn (string $objects): Child
            => Program::run([self::program('sanitized'), 'one'], ['LD_PRELOAD' => $objects] + self::ON);
        $object = (string) realpath(Program::OBJECT);
        self::assertStringContainsString('ASan runtime does not come first', $run($object)->errors);
        $runtime = trim(Child::run(['gcc', '-print-file-name=libasan.so'])->cleanOutput());
        self::assertSame('one: ' . self::SET . "\n", $run("$runtime:$object")->cleanOutput());
    }

    public function testStaticProgramsAreNotReached(): void
    {
        self::assertStringStartsWith('one: 0 ', Program::run([self::program('static'), 'one'], self::ON)->cleanOutput());
    }

    /** It needs the C library alone, has no other exports, and cannot allocate: malloc is not imported. */
    public function testTheObjectItself(): void
    {
        $symbols = Child::run(['nm', '-D', (string) realpath(Program::OBJECT)])->cleanOutput();
        preg_match_all('/ T (\S+)$/m', $symbols, $exported);
        self::assertSame(['connect', 'dlopen', 'listen', 'setsockopt', 'socket'], $exported[1]);
        self::assertDoesNotMatchRegularExpression('/ U (\w*alloc|free|pthread_\w+|_Unwind_\w+|abort)\b/', $symbols);
        self::assertMatchesRegularExpression('/ U dlsym\b/', $symbols, 'as nm writes imports');
        $header = Child::run(['readelf', '-dW', (string) realpath(Program::OBJECT)])->cleanOutput();
        preg_match_all('/\(NEEDED\).*\[(.*)\]/', $header, $needed);
        self::assertSame([], preg_grep('/^(libc\.so\.6|libdl\.so\.2|ld-linux.*)$/', $needed[1], PREG_GREP_INVERT));
    }
}
