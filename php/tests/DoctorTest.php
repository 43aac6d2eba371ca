<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Keepalive;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Folder;
use Keepalive\Tests\Support\Source;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use PHPUnit\Framework\TestCase;

/**
 * `keepalive doctor` and the command line around it, each in its own PHP process, because the
 * output depends on how PHP was started.
 *
 * @group program
 */
#[Group('program')]
final class DoctorTest extends TestCase
{
    private const COMMAND = __DIR__ . '/../bin/keepalive';

    /** Some of them, and not realpath(), without which no library is trusted. */
    private const HOSTS_TAKE = [
        'file_get_contents',
        'glob',
        'opcache_get_status',
        'php_ini_loaded_file',
        'php_uname',
    ];

    /** What the self test sets. */
    private const ASKED = ['enabled' => true, 'idle' => 3, 'interval' => 2, 'count' => 5, 'user_timeout_ms' => 13000];

    public function testEverythingWorks(): void
    {
        [$status, $report] = $this->doctor();
        self::assertSame([0, 'everything', 'ffi'], [$status, $report['verdict'], $report['backend']]);
        self::assertSame(PHP_VERSION, $report['php']['version']);
        self::assertFileExists($report['library']['found_at']);
        self::assertSame(Keepalive::VERSION, $report['library']['version']);
        self::assertSame([], self::texts($report, 'limit'));
        foreach (['tcp', 'tls'] as $test) {
            $result = $report['self_test'][$test];
            self::assertSame(self::ASKED, $result['kernel'], $test);
            // From /proc/net/tcp, which knows nothing of getsockopt().
            self::assertSame('keepalive', $result['timer']['name'], $test);
            self::assertEqualsWithDelta(3, $result['timer']['seconds'], 1, $test);
        }
    }

    public function testWithoutFfiItSaysWhatDoesNotWork(): void
    {
        [$status, $report] = $this->doctor(['-d', 'ffi.enable=0']);
        self::assertSame([3, 'in part', 'sockets'], [$status, $report['verdict'], $report['backend']]);
        self::assertSame(self::ASKED, $report['self_test']['tcp']['kernel']);
        self::assertFalse($report['self_test']['tls']['ok']);
        self::assertStringContainsString('ffi.enable is "0"', self::texts($report, 'limit')[0]);
    }

    public function testWithNeitherBackendItFails(): void
    {
        // Without php.ini Debian's PHP has neither extension.
        [$status, $text] = $this->command(['-n'], ['doctor']);
        self::assertSame(1, $status);
        self::assertStringContainsString('The FFI extension is not loaded', $text);
        self::assertStringContainsString("Verdict\n  no    Keepalive does not work in this PHP.\n", $text);
    }

    public function testALibraryThatWillNotDoIsNamed(): void
    {
        [$status, $report] = $this->doctor([], ['KEEPALIVE_LIBRARY' => '/nowhere/libkeepalive.so']);
        self::assertSame([3, 'sockets'], [$status, $report['backend']]);
        self::assertNull($report['library']['found_at']);
        self::assertCount(1, $report['library']['tried']);
        self::assertSame('/nowhere/libkeepalive.so', $report['library']['tried'][0]['place']);
        self::assertSame('KEEPALIVE_LIBRARY', $report['library']['tried'][0]['origin']);
        self::assertStringContainsString('no such file', $report['library']['tried'][0]['problem']);
    }

    public function testALibraryThatIsPreloadedAndSetsKeepaliveByItselfIsNamed(): void
    {
        $other = '/usr/lib/libkeepalive.so.0';
        self::assertFileExists($other, 'machine/setup.sh test installs Debian\'s libkeepalive0');
        $environment = ['LD_PRELOAD' => $other, 'KEEPIDLE' => '77', 'KEEPINTVL' => '7', 'KEEPCNT' => '5'];
        [$status, $report] = $this->doctor([], $environment);
        self::assertSame([0, 'everything'], [$status, $report['verdict']]);
        self::assertContains($other, $report['other_libraries']['installed']);
        self::assertSame([realpath($other)], $report['other_libraries']['loaded']);
        self::assertStringContainsString('loaded into this process', implode("\n", self::texts($report, 'note')));
        self::assertSame(self::ASKED, $report['self_test']['tcp']['kernel']);
    }

    public function testTheSystemsDefaultsAreTheNetworksOwn(): void
    {
        $set = 'ip link set lo up && echo 4321 >/proc/sys/net/ipv4/tcp_keepalive_time && exec "$@"';
        [$status, $report] = $this->doctor([], [], ['unshare', '--map-root-user', '--net', 'sh', '-c', $set, 'sh']);
        self::assertSame([0, 4321], [$status, $report['defaults']['idle']]);
    }

    public function testAnOpenSocketWhoseValuesDisagreeIsNamed(): void
    {
        $script = 'require $argv[1]; $s = stream_socket_server("tcp://127.0.0.1:0");'
            . 'Keepalive\Keepalive::enable($s, 60, 10, 6, 30000); echo json_encode(Keepalive\CommandLine\Doctor::report());';
        [$status, $text] = self::start([PHP_BINARY, '-r', $script, '--', __DIR__ . '/../autoload.php']);
        $report = json_decode($text, true);
        self::assertSame(0, $status);
        self::assertCount(1, $report['sockets']);
        self::assertSame('LISTEN', $report['sockets'][0]['state']);
        self::assertStringContainsString('30 s replaces the count of 6', $report['sockets'][0]['disagreement']);
        self::assertStringContainsString($report['sockets'][0]['disagreement'], implode("\n", self::texts($report, 'note')));
    }

    public function testWithoutATemporaryFolderOnlyTlsIsNotTested(): void
    {
        [, $report] = $this->doctor(['-d', 'sys_temp_dir=/nowhere', '-d', 'open_basedir=' . dirname(__DIR__, 2)]);
        self::assertTrue($report['self_test']['tcp']['ok']);
        self::assertFalse($report['self_test']['tls']['ok']);
    }

    public function testWithoutPhpUnameTheSystemIsUnknownAndAllElseIsFound(): void
    {
        [$status, $report] = $this->doctor(['-d', 'disable_functions=php_uname']);
        self::assertSame([0, 'unknown', 'unknown'], [$status, $report['php']['kernel'], $report['php']['machine']]);
    }

    /** @return array<string, array{string}> */
    public static function functions(): array
    {
        $functions = Source::functions('command-line/Doctor.php');
        if (PHP_VERSION_ID < 80000) {
            // There a disabled function warns and returns null, and the program goes on.
            $functions = array_intersect($functions, self::HOSTS_TAKE);
        }
        return array_combine($functions, array_chunk($functions, 1));
    }

    /** @dataProvider functions */
    #[DataProvider('functions')]
    public function testWithoutAFunctionItSaysWhatItCouldNotFindOut(string $function): void
    {
        $script = 'require $argv[1]; echo json_encode(Keepalive\CommandLine\Doctor::report());';
        $options = ['-d', "disable_functions=$function", '-d', 'display_errors=stderr', '-d', 'log_errors=0'];
        [$status, $text, $errors] = self::start(
            array_merge([PHP_BINARY], $options, ['-r', $script, '--', __DIR__ . '/../autoload.php'])
        );
        self::assertSame([0, ''], [$status, $errors]);
        $report = json_decode($text, true);
        self::assertContains($report['verdict'], ['everything', 'in part', 'nothing']);
        // Called in web servers only, or only if another function is missing.
        $notReached = ['is_writable', 'array_column'];
        if (!in_array($function, $notReached, true)) {
            self::assertStringContainsString("$function()", implode("\n", array_column($report['findings'], 'text')));
        }
    }

    /** @return array<string, array{string}> */
    public static function hostsTake(): array
    {
        return array_combine(self::HOSTS_TAKE, array_chunk(self::HOSTS_TAKE, 1));
    }

    /** @dataProvider hostsTake */
    #[DataProvider('hostsTake')]
    public function testWithoutWhatHostsTakeAwayItStillFindsThatAllWorks(string $function): void
    {
        [$status, $report] = $this->doctor(['-d', "disable_functions=$function"]);
        self::assertSame([0, 'everything'], [$status, $report['verdict']]);
        self::assertContains(
            "disable_functions in php.ini disables $function(), so what it would say is not known.",
            self::texts($report, 'note')
        );
    }

    public function testTheTextIsReadableInEightyColumns(): void
    {
        [$status, $text, $errors] = $this->command([], ['doctor']);
        self::assertSame([0, ''], [$status, $errors]);
        self::assertStringEndsWith("\n\nVerdict\n  ok    Everything works in this PHP.\n", $text);
        foreach (explode("\n", $text) as $line) {
            if (strpos($line, '/') === false) { // A path is one word, which cannot be wrapped.
                self::assertLessThanOrEqual(80, strlen($line));
            }
        }
    }

    /** In a folder like /tmp/a/b, where other users can write to a folder above it. */
    public function testNoFileOutsideThePackageIsRun(): void
    {
        $folder = Folder::create();
        Folder::copy(dirname(__DIR__) . '/bin', "$folder/a/b/php/bin");
        Folder::copy(dirname(__DIR__) . '/src', "$folder/a/b/php/src");
        Folder::copy(dirname(__DIR__) . '/command-line', "$folder/a/b/php/command-line");
        foreach (['autoload.php', 'constants.php'] as $file) {
            copy(dirname(__DIR__) . "/$file", "$folder/a/b/php/$file");
        }
        foreach (['', 'a/', 'a/b/'] as $above) {
            file_put_contents("$folder/{$above}autoload.php", "<?php echo \"$above was run\\n\";");
        }
        $said = self::start([PHP_BINARY, "$folder/a/b/php/bin/keepalive", '--version']);
        Folder::remove($folder);
        self::assertSame([0, 'keepalive ' . Keepalive::VERSION . "\n", ''], $said);
    }

    public function testTheVersionIsTheLibrarys(): void
    {
        $cargo = (string) file_get_contents(dirname(__DIR__, 2) . '/Cargo.toml');
        self::assertStringContainsString("\nversion = \"" . Keepalive::VERSION . "\"\n", $cargo);
        self::assertSame([0, 'keepalive ' . Keepalive::VERSION . "\n", ''], $this->command([], ['--version']));
    }

    /** @return array<int, array<int, mixed>> */
    public static function askingForHelp(): array
    {
        return [
            [[], 0, 'Commands:'],
            [['help'], 0, 'Commands:'],
            [['--help'], 0, 'Commands:'],
            [['help', 'help'], 0, 'Commands:'],
            [['help', 'doctor'], 0, 'Usage: keepalive doctor'],
            [['doctor', '--help'], 0, 'Usage: keepalive doctor'],
        ];
    }

    /**
     * @dataProvider askingForHelp
     * @param string[] $arguments
     */
    #[DataProvider('askingForHelp')]
    public function testHelp(array $arguments, int $expected, string $says): void
    {
        [$status, $text, $errors] = $this->command([], $arguments);
        self::assertSame([$expected, ''], [$status, $errors]);
        self::assertStringContainsString($says, $text);
    }

    /** @return array<int, array<int, mixed>> */
    public static function wrongCommandLines(): array
    {
        return [
            [['nonsense'], "there is no command \"nonsense\".\nTry: keepalive help\n"],
            [['help', 'nonsense'], "there is no command \"nonsense\".\nTry: keepalive help\n"],
            [['doctor', '--jsno'], "\"--jsno\" was given.\nTry: keepalive help doctor\n"],
            [['doctor', '--json', 'more'], "\"--json more\" was given.\nTry: keepalive help doctor\n"],
        ];
    }

    /**
     * @dataProvider wrongCommandLines
     * @param string[] $arguments
     */
    #[DataProvider('wrongCommandLines')]
    public function testAWrongCommandLineIsStatusTwo(array $arguments, string $says): void
    {
        [$status, $text, $errors] = $this->command([], $arguments);
        self::assertSame([2, ''], [$status, $text]);
        self::assertStringContainsString($says, $errors);
    }

    /**
     * @param array<string, mixed> $report
     * @return string[]
     */
    private static function texts(array $report, string $level): array
    {
        $findings = array_filter($report['findings'], static function (array $finding) use ($level): bool {
            return $finding['level'] === $level;
        });
        return array_column($findings, 'text');
    }

    /**
     * @param string[] $options of PHP
     * @param array<string, string> $environment
     * @param string[] $within a command that starts another
     * @return array{int, array<string, mixed>} exit status and report
     */
    private function doctor(array $options = [], array $environment = [], array $within = []): array
    {
        [$status, $text, $errors] = $this->command($options, ['doctor', '--json'], $environment, $within);
        self::assertSame('', $errors);
        $report = json_decode($text, true);
        self::assertIsArray($report, $text);
        return [$status, $report];
    }

    /**
     * @param string[] $options of PHP
     * @param string[] $arguments
     * @param array<string, string> $environment
     * @param string[] $within
     * @return array{int, string, string} exit status, output and errors
     */
    private function command(array $options, array $arguments, array $environment = [], array $within = []): array
    {
        return self::start(array_merge($within, [PHP_BINARY], $options, [self::COMMAND], $arguments), $environment);
    }

    /**
     * @param string[] $command
     * @param array<string, string> $environment
     * @return array{int, string, string} exit status, output and errors
     */
    private static function start(array $command, array $environment = []): array
    {
        $child = Child::run($command, $environment);
        return [$child->status, $child->output, $child->errors];
    }
}
