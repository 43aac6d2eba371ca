<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\TestCase;

/**
 * keepalive run: the program that it becomes, and the programs that it refuses.
 *
 * @group program
 */
#[Group('program')]
final class RunTest extends TestCase
{
    private const COMMAND = [PHP_BINARY, '-d', 'display_errors=stderr', __DIR__ . '/../bin/keepalive'];

    /** A program that prints the settings of its TCP socket. */
    private const PROGRAM = '
        #include <netinet/in.h>
        #include <netinet/tcp.h>
        #include <stdio.h>
        #include <sys/socket.h>
        int main(void) {
            int socket_ = socket(AF_INET, SOCK_STREAM, 0), on = -1, idle = -1;
            socklen_t size = sizeof on;
            getsockopt(socket_, SOL_SOCKET, SO_KEEPALIVE, &on, &size);
            getsockopt(socket_, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &size);
            printf("on %d, idle %d\n", on, idle);
            return 0;
        }';

    /** What the Go linker puts into its programs, also where the C library is linked with them. */
    private const GO_NOTE = '
        __attribute__((section(".note.go.buildid"), used, aligned(4)))
        static const struct { int name, value, type; char text[4], id[8]; } note = {4, 8, 4, "Go", "build"};';

    private static string $folder;

    public static function setUpBeforeClass(): void
    {
        self::$folder = (string) realpath(sys_get_temp_dir()) . '/keepalive-run-' . bin2hex(random_bytes(4));
        mkdir(self::$folder);
        self::compile('program', self::PROGRAM);
    }

    public static function tearDownAfterClass(): void
    {
        exec('rm -r ' . escapeshellarg(self::$folder));
    }

    public function testTheSocketsOfTheProgramHaveTheSettings(): void
    {
        self::assertSame("on 1, idle 3\n", self::keepalive(['--within', '30'], [self::file('program')])->cleanOutput());
        $values = ['--idle=60', '--interval=10', '--count=6'];
        self::assertSame("on 1, idle 60\n", self::keepalive($values, [self::file('program')])->cleanOutput());
    }

    public function testTheVariables(): void
    {
        $variables = [
            'LIBKEEPALIVE' => 'within=30',
            'LIBKEEPALIVE_TO' => '*:3306,10.0.0.0/8:*,[2001:db8::/32]:443,127.0.0.1:80',
            'LIBKEEPALIVE_LOG' => self::$folder . '/log',
            'LD_PRELOAD' => self::object() . ':' . self::object(),
        ];
        $to = ['--to', '*:3306', '--to', '10.0.0.0/8', '--to', '[2001:db8::/32]:443', '--to', '127.0.0.1:80'];
        self::assertSame($variables, self::variables(
            array_merge(['--within', '30', '--log', 'log'], $to),
            ['LD_PRELOAD' => self::object()] // one that is there stays
        ));
        self::assertSame(
            ['LIBKEEPALIVE' => '60,10,6,120000', 'LD_PRELOAD' => self::object()],
            self::variables(
                ['--idle', '60', '--interval', '10', '--count', '6', '--user-timeout', '120000'],
                ['LIBKEEPALIVE_TO' => '*:1', 'LIBKEEPALIVE_LOG' => '/left', 'LD_PRELOAD' => null]
            )
        );
    }

    public function testHostNamesAreLookedUp(): void
    {
        $rules = explode(',', self::variables(['--within', '30', '--to', 'localhost:80'], [])['LIBKEEPALIVE_TO']);
        self::assertContains('127.0.0.1:80', $rules);
        self::assertSame([], array_diff($rules, ['127.0.0.1:80', '[::1]:80']));
    }

    public function testAHostNameThatIsNotKnown(): void
    {
        $run = self::keepalive(['--within=30', '--to=nowhere.invalid:1'], ['true']);
        self::assertSame(125, $run->status);
        self::assertStringStartsWith('keepalive: Looking up the host name "nowhere.invalid" failed', $run->errors);
    }

    public function testItIsTheProgram(): void
    {
        $keepalive = implode(' ', array_map('escapeshellarg', array_merge(self::COMMAND, ['run', '--within=30', '--'])));
        $output = Child::run(['sh', '-c', "echo $$; exec $keepalive sh -c 'echo $$'"])->cleanOutput();
        [$before, $after] = explode("\n", $output);
        self::assertSame($before, $after);
    }

    public function testExitStatusAndSignals(): void
    {
        self::assertSame(42, self::keepalive(['--within=30'], ['sh', '-c', 'exit 42'])->status);
        self::assertSame(-SIGTERM, self::keepalive(['--within=30'], ['sh', '-c', 'kill -TERM $$'])->status);
    }

    /** PHP ignores SIGPIPE, even if its parent did not, and has its script open. */
    public function testNothingOfPhpIsLeft(): void
    {
        $look = ['sh', '-c', 'grep Sig[BI] /proc/self/status; ls /proc/self/fd'];
        $run = self::keepalive(['--within=30'], $look);
        $usual = array_merge(['env', '--default-signal=PIPE'], $look);
        self::assertSame(Child::run($usual)->cleanOutput(), $run->cleanOutput());
    }

    public function testAServiceOfSystemdIgnoresSigpipe(): void
    {
        $keepalive = implode(' ', array_map('escapeshellarg', array_merge(self::COMMAND, ['run', '--within=30', '--'])));
        $look = 'grep SigIgn /proc/self/status';
        // Other ignored signals are those of the tests' parent process.
        $expected = Child::run(['env', '--ignore-signal=PIPE', 'sh', '-c', $look])->cleanOutput();
        self::assertSame($expected, Child::run(['sh', '-c', "SYSTEMD_EXEC_PID=$$ exec $keepalive $look"])->cleanOutput());
    }

    public function testArgumentsArriveAsTheyAre(): void
    {
        $arguments = ['', '-h', '--help', '--', "two\nlines", '*', '"$0"', "\xff"];
        $run = self::keepalive(['--within=30'], array_merge(['printf', '[%s]'], $arguments));
        self::assertSame('[' . implode('][', $arguments) . ']', $run->cleanOutput());
    }

    public function testADescriptorThatTheCallerHandsOver(): void
    {
        $keepalive = implode(' ', array_map('escapeshellarg', array_merge(self::COMMAND, ['run', '--within=30', '--'])));
        $shell = "exec 3<<END\nhanded over\nEND\nexec $keepalive sh -c 'cat <&3'";
        self::assertSame("handed over\n", Child::run(['sh', '-c', $shell])->cleanOutput());
    }

    public function testScripts(): void
    {
        self::script('interpreted', '#!/bin/sh' . "\n" . self::file('program'));
        self::script('by-env', "#!/usr/bin/env sh\n" . self::file('program'));
        self::script('without', self::file('program'));
        foreach (['interpreted', 'by-env', 'without'] as $script) {
            self::assertSame("on 1, idle 3\n", self::keepalive(['--within=30'], [self::file($script)])->cleanOutput(), $script);
        }
    }

    /** @dataProvider unreachable */
    #[DataProvider('unreachable')]
    public function testWhatCannotBeReached(string $says, string $name, ?string $compiler, string $flags, string $source): void
    {
        self::compile($name, $source, $compiler ?? 'cc', $flags);
        $run = self::keepalive(['--within=30'], [self::file($name)]);
        self::assertSame([125, ''], [$run->status, $run->output]);
        self::assertStringStartsWith('keepalive: ' . self::file($name) . " $says", $run->errors);
        self::assertStringEndsWith(" To set its connections from outside: keepalive set --pid.\n", $run->errors);
    }

    /** @return array<string, array{string, string, string|null, string, string}> */
    public static function unreachable(): array
    {
        return [
            'static' => ['is statically linked', 'static', null, '-static', self::PROGRAM],
            'static, position independent' => ['is statically linked', 'static-pie', null, '-static-pie', self::PROGRAM],
            'Go with the C library' => ['is a Go program', 'go', null, '', self::PROGRAM . self::GO_NOTE],
            'another C library' => ['cannot have ' . self::object() . ' loaded', 'musl', 'musl-gcc', '', self::PROGRAM],
        ];
    }

    public function testAnotherProcessor(): void
    {
        $program = (string) file_get_contents(self::file('program'));
        $machine = unpack('v', $program, 18)[1];
        file_put_contents(self::file('other'), substr_replace($program, pack('v', $machine + 1), 18, 2));
        chmod(self::file('other'), 0755);
        $run = self::keepalive(['--within=30'], [self::file('other')]);
        self::assertSame(125, $run->status);
        self::assertStringContainsString('other is for another processor (' . 8 * PHP_INT_SIZE . '-bit, machine ' . ($machine + 1) . ')', $run->errors);
    }

    public function testScriptsOfSuchAnInterpreter(): void
    {
        self::compile('interpreter', self::PROGRAM, 'cc', '-static');
        self::script('direct', '#!' . self::file('interpreter') . "\n");
        self::script('through-env', '#!/usr/bin/env -S A=b ' . self::file('interpreter') . " -x\n");
        foreach (['direct', 'through-env'] as $script) {
            $run = self::keepalive(['--within=30'], [self::file($script)]);
            self::assertSame(125, $run->status);
            self::assertStringStartsWith('keepalive: ' . self::file('interpreter') . ' is statically linked', $run->errors);
        }
    }

    public function testEnv(): void
    {
        self::assertSame("on 1, idle 3\n", self::keepalive(['--within=30'], ['env', '-u', 'HOME', self::file('program')])->cleanOutput());
        $run = self::keepalive(['--within=30'], ['env', '-i', self::file('program')]);
        self::assertSame([125, ''], [$run->status, $run->output]);
        self::assertStringContainsString('env -i removes LD_PRELOAD', $run->errors);
    }

    /** For whom the loader ignores LD_PRELOAD. */
    public function testProgramsThatHaveMoreRightsThanTheirCaller(): void
    {
        $programs = ['setuid' => '/usr/bin/su', 'setgid' => '/usr/bin/chage']; // root's and shadow's, to a user
        foreach (['setuid' => 04755, 'setgid' => 02755] as $what => $mode) {
            if (posix_geteuid() === 0) { // nobody's, to root
                $programs[$what] = self::file($what);
                copy(self::file('program'), self::file($what));
                chown(self::file($what), 65534);
                chgrp(self::file($what), 65534);
                chmod(self::file($what), $mode);
            }
            $run = self::keepalive(['--within=30'], [$programs[$what]]);
            self::assertSame(125, $run->status, $run->errors);
            self::assertStringContainsString("$programs[$what] is $what: the loader ignores LD_PRELOAD", $run->errors);
        }
    }

    public function testAProgramThatCannotBeRead(): void
    {
        copy(self::file('program'), self::file('secret'));
        chmod(self::file('secret'), 0111);
        $user = ['unshare', '--user', '--map-user=1000', '--map-group=1000']; // root could read it
        $run = self::keepalive(['--within=30'], [self::file('secret')], [], $user);
        self::assertSame(125, $run->status, $run->errors);
        self::assertStringContainsString('secret cannot be read, so it is not known', $run->errors);
    }

    public function testASetuidProgramOfTheCaller(): void
    {
        copy(self::file('program'), self::file('own'));
        chmod(self::file('own'), 06755);
        self::assertSame("on 1, idle 3\n", self::keepalive(['--within=30'], [self::file('own')])->cleanOutput());
    }

    public function testFileCapabilities(): void
    {
        copy(self::file('program'), self::file('capable'));
        chmod(self::file('capable'), 0755);
        Child::run(['unshare', '-Ur', '/sbin/setcap', 'cap_net_bind_service+ep', self::file('capable')])->cleanOutput();
        // Root has these rights already.
        $user = ['unshare', '--user', '--map-user=1000', '--map-group=1000'];
        $run = self::keepalive(['--within=30'], [self::file('capable')], [], $user);
        self::assertSame(125, $run->status, $run->errors);
        self::assertStringContainsString('capable has file capabilities', $run->errors);
    }

    /** @return array<int, array<int, mixed>> */
    public static function noCommands(): array
    {
        return [
            [127, 'there is no command "keepalive-nonsense"', 'keepalive-nonsense'],
            [126, 'is not executable', '/etc/passwd'],
            [127, 'there is no command "/nonsense"', '/nonsense'],
        ];
    }

    /** @dataProvider noCommands */
    #[DataProvider('noCommands')]
    public function testWhatIsNoCommand(int $status, string $says, string $command): void
    {
        $run = self::keepalive(['--within=30'], [$command]);
        self::assertSame([$status, ''], [$run->status, $run->output]);
        self::assertStringContainsString($says, $run->errors);
    }

    public function testADamagedScript(): void
    {
        self::script('damaged', "#!/nonsense\n");
        $run = self::keepalive(['--within=30'], [self::file('damaged')]);
        self::assertSame(126, $run->status);
        self::assertSame('keepalive: ' . self::file('damaged') . " cannot be executed: No such file or directory.\n", $run->errors);
    }

    /** @return array<int, array<int, mixed>> */
    public static function wrongCommandLines(): array
    {
        return [
            ['options, then -- and a command', '--within', '30'],
            ['options, then -- and a command', '--within', '30', 'ls'],
            ['options, then -- and a command', '--within', '30', '--'],
            ['--within alone, or', '--', 'ls'],
            ['seconds must be an int from 6', '--within', '5', '--', 'ls'],
            ['--to: address must be', '--within', '30', '--to', 'a:b:c', '--', 'ls'],
            ['no option --pid', '--within', '30', '--pid', '1', '--', 'ls'],
        ];
    }

    /** @dataProvider wrongCommandLines */
    #[DataProvider('wrongCommandLines')]
    public function testAWrongCommandLine(string $says, string ...$arguments): void
    {
        $run = Child::run(array_merge(self::COMMAND, ['run'], $arguments));
        self::assertSame([2, ''], [$run->status, $run->output]);
        self::assertStringContainsString($says, $run->errors);
        self::assertStringEndsWith("\nTry: keepalive help run\n", $run->errors);
    }

    public function testMoreAddressesThanTheObjectTakes(): void
    {
        $to = [];
        for ($i = 0; $i <= 64; $i++) {
            $to[] = "--to=10.0.0.$i:80";
        }
        $run = self::keepalive(array_merge(['--within=30'], $to), ['true']);
        self::assertSame(125, $run->status);
        self::assertStringContainsString('--to stands for 65 addresses, and libkeepalive-preload.so takes 64', $run->errors);
        array_pop($to);
        self::assertSame(0, self::keepalive(array_merge(['--within=30'], $to), ['true'])->status);
    }

    public function testDoctorTellsThatItRunsWithIt(): void
    {
        $doctor = array_merge(self::COMMAND, ['doctor', '--json']);
        $without = json_decode(Child::run($doctor)->output, true);
        self::assertNull($without['preload']['object']);
        $with = json_decode(self::keepalive(['--within=30'], $doctor)->output, true);
        self::assertSame(self::object(), $with['preload']['object']);
        self::assertSame(['LIBKEEPALIVE' => 'within=30', 'LIBKEEPALIVE_TO' => null, 'LIBKEEPALIVE_LOG' => null], $with['preload']['variables']);
        // The library's socket() is the object's, but not on i386 with PHP before 8.5: docs/preload.md, RTLD_DEEPBIND.
        $reached = PHP_INT_SIZE > 4 || PHP_VERSION_ID >= 80500;
        self::assertSame($reached, $with['defaults']['enabled'], 'a fresh socket');
        $text = (string) json_encode($with['findings']);
        self::assertStringContainsString('This process runs with ', $text);

        $idle = json_decode(Child::run($doctor, ['LD_PRELOAD' => self::object()])->output, true);
        self::assertStringContainsString('LIBKEEPALIVE is not set', (string) json_encode($idle['findings']));
        $missing = json_decode(Child::run($doctor, ['LIBKEEPALIVE' => 'within=30'])->output, true);
        self::assertStringContainsString('is not loaded into this process', (string) json_encode($missing['findings']));
    }

    /** As `make install` and the Debian packages have it: below the system's folder of libraries. */
    public function testAnInstalledLibrary(): void
    {
        $libraries = self::file('lib');
        self::install("$libraries/libkeepalive.so.1.0.0", "$libraries/libkeepalive/libkeepalive-preload.so");
        symlink('libkeepalive.so.1.0.0', "$libraries/libkeepalive.so.1");
        // A copy of the package without a build, so that the loader's search path has the library.
        $php = self::file('package/php');
        exec("mkdir -p $php && cd " . dirname(__DIR__) . " && cp -r bin src command-line autoload.php constants.php $php");
        $run = Child::run(
            [PHP_BINARY, "$php/bin/keepalive", 'run', '--within=30', '--', 'sh', '-c', 'echo "$LD_PRELOAD"'],
            ['LD_LIBRARY_PATH' => $libraries, 'LD_PRELOAD' => null]
        );
        self::assertSame("$libraries/libkeepalive/libkeepalive-preload.so\n", $run->cleanOutput());
    }

    public function testWithoutTheObject(): void
    {
        self::install($library = self::file('alone/libkeepalive.so'), null);
        $run = self::keepalive(['--within=30'], ['true'], ['KEEPALIVE_LIBRARY' => $library]);
        self::assertSame(125, $run->status);
        self::assertStringContainsString(
            'libkeepalive-preload.so is not beside the library. Tried: ' . self::file('alone/libkeepalive-preload.so'),
            $run->errors
        );
    }

    public function testAFolderThatTheLoaderCannotName(): void
    {
        self::install($library = self::file('a space/libkeepalive.so'), self::file('a space/libkeepalive-preload.so'));
        $run = self::keepalive(['--within=30'], ['true'], ['KEEPALIVE_LIBRARY' => $library]);
        self::assertSame(125, $run->status);
        self::assertStringContainsString('LD_PRELOAD cannot name "' . self::file('a space/'), $run->errors);
    }

    public function testHelpFitsInEightyColumns(): void
    {
        foreach (['list', 'run', 'set'] as $command) {
            $help = Child::run(array_merge(self::COMMAND, ['help', $command]))->cleanOutput();
            self::assertSame([], preg_grep('/^.{81}/', explode("\n", $help)));
            self::assertSame($help, Child::run(array_merge(self::COMMAND, [$command, '--help']))->cleanOutput());
        }
    }

    private static function install(string $library, ?string $object): void
    {
        foreach (['libkeepalive.so' => $library, 'libkeepalive-preload.so' => $object] as $name => $place) {
            if ($place !== null) {
                is_dir(dirname($place)) || mkdir(dirname($place), 0755, true);
                copy(dirname(__DIR__, 2) . "/target/release/$name", $place);
            }
        }
    }

    private static function object(): string
    {
        return dirname(__DIR__, 2) . '/target/release/libkeepalive-preload.so';
    }

    private static function file(string $name): string
    {
        return self::$folder . "/$name";
    }

    private static function compile(string $name, string $source, string $compiler = 'cc', string $flags = ''): void
    {
        file_put_contents(self::file("$name.c"), $source);
        exec("$compiler $flags -o " . self::file($name) . ' ' . self::file("$name.c") . ' 2>&1', $output, $status);
        self::assertSame(0, $status, implode("\n", $output));
    }

    private static function script(string $name, string $text): void
    {
        file_put_contents(self::file($name), $text);
        chmod(self::file($name), 0755);
    }

    /**
     * @param string[] $options
     * @param string[] $command
     * @param array<string, string|null> $environment
     * @param string[] $before
     */
    private static function keepalive(array $options, array $command, array $environment = [], array $before = []): Child
    {
        return Child::run(array_merge($before, self::COMMAND, ['run'], $options, ['--'], $command), $environment, self::$folder);
    }

    /**
     * @param string[] $options
     * @param array<string, string|null> $environment
     * @return array<string, string> the variables that env saw
     */
    private static function variables(array $options, array $environment): array
    {
        $seen = [];
        foreach (explode("\n", trim(self::keepalive($options, ['env'], $environment)->cleanOutput())) as $line) {
            [$name, $value] = explode('=', $line, 2) + [1 => ''];
            $seen[$name] = $value;
        }
        $names = ['LIBKEEPALIVE', 'LIBKEEPALIVE_TO', 'LIBKEEPALIVE_LOG', 'LD_PRELOAD'];
        return array_intersect_key(array_replace(array_flip($names), $seen), $seen, array_flip($names));
    }
}
