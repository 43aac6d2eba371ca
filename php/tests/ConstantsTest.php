<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Internal\Errno;
use Keepalive\Internal\ErrnoSentences;
use Keepalive\Internal\Library;
use Keepalive\Keepalive;
use Keepalive\Status;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;

/** The constants of PHP and of the library are the same. */
final class ConstantsTest extends KeepaliveTestCase
{
    private const CONSTANTS = ['TCP_KEEPIDLE' => 4, 'TCP_KEEPINTVL' => 5, 'TCP_KEEPCNT' => 6, 'TCP_USER_TIMEOUT' => 18];

    public function testTheConstantsAreTheLibrarysNumbers(): void
    {
        $options = self::library()->ka_options();
        foreach (array_keys(self::CONSTANTS) as $name) {
            self::assertSame($options->{strtolower($name)}, constant($name), $name);
        }
        self::assertSame($options->ipproto_tcp, SOL_TCP);
        self::assertSame($options->sol_socket, SOL_SOCKET);
        self::assertSame($options->so_keepalive, SO_KEEPALIVE);
    }

    /** @return array<string, array{string[], array<string, string>, string}> */
    public static function setUps(): array
    {
        return [
            'everything' => [[], [], 'true'],
            'ffi.enable=0' => [['-d', 'ffi.enable=0'], [], 'ini_get("ffi.enable") === "0"'],
            'no FFI extension' => [['-n', '-d', 'extension=sockets'], [], '!extension_loaded("ffi")'],
            'no ext-sockets' => [['-n', '-d', 'extension=ffi'], [], '!extension_loaded("sockets") && !function_exists("socket_create")'],
            'neither' => [['-n'], [], '!extension_loaded("sockets") && !extension_loaded("ffi")'],
            'no library' => [[], ['KEEPALIVE_LIBRARY' => '/nonexistent'], 'true'],
        ];
    }

    /**
     * @dataProvider setUps
     * @param string[] $flags
     * @param array<string, string> $environment
     */
    #[DataProvider('setUps')]
    public function testTheConstantsAreThereInEverySetUp(array $flags, array $environment, string $proof): void
    {
        $child = Child::php(
            "$proof || exit('not the set-up that was meant'); "
            . 'echo implode(" ", [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT]);',
            $flags,
            $environment,
            null,
            [],
            dirname(__DIR__) . '/constants.php'
        );
        self::assertSame(implode(' ', self::CONSTANTS), $child->cleanOutput());
    }

    public function testDefiningThemLoadsNoLibrary(): void
    {
        $child = Child::php(
            'echo TCP_USER_TIMEOUT, " ";
            echo substr_count(file_get_contents("/proc/self/maps"), "libkeepalive"), " ";
            Keepalive\Keepalive::backend();
            echo substr_count(file_get_contents("/proc/self/maps"), "libkeepalive") > 0 ? "loaded" : "not loaded";'
        );
        self::assertSame('18 0 loaded', $child->cleanOutput());
    }

    public function testAConstantThatIsThereAlreadyStaysAndNobodyIsWarned(): void
    {
        $script = $this->folder() . '/twice.php';
        file_put_contents($script, '<?php define("TCP_USER_TIMEOUT", 1); require ' . var_export(
            dirname(__DIR__) . '/constants.php',
            true
        ) . ';');
        $child = Child::php('echo TCP_USER_TIMEOUT, TCP_KEEPIDLE;', ['-n'], [], null, [], $script);
        self::assertSame('14', $child->cleanOutput());
    }

    public function testTheCausesAreTheLibrarysSentences(): void
    {
        $library = self::library();
        foreach (ErrnoSentences::BY_NAME as $name => $cause) {
            self::assertSame($library->ka_strerror(-Errno::number($name)), $cause);
            self::assertSame($cause, Errno::cause(Errno::number($name)));
        }
    }

    public function testTheErrnoNumbersAreTheSystems(): void
    {
        // strerror() of the C library has the name of the number.
        $meanings = [
            'ENOTSOCK' => 'Socket operation on non-socket',
            'ERANGE' => 'Numerical result out of range',
        ];
        foreach ($meanings as $name => $meaning) {
            self::assertSame($meaning, posix_strerror(Errno::number($name)), $name);
        }
        foreach (array_keys(ErrnoSentences::BY_NAME) as $name) {
            if (defined("SOCKET_$name")) {
                self::assertSame(constant("SOCKET_$name"), Errno::number($name));
            } else {
                self::assertArrayHasKey($name, $meanings, 'a number that no test looks at');
            }
        }
    }

    public function testTheStatesAreTheHeaders(): void
    {
        $header = (string) file_get_contents(dirname(__DIR__, 2) . '/include/keepalive.h');
        preg_match_all('/^#define KA_STATE_(\w+) (\d+)$/m', $header, $states, PREG_SET_ORDER);
        $named = [];
        foreach ($states as [, $name, $number]) {
            $named[(int) $number] = $name;
        }
        self::assertSame($named, Status::STATES);
    }

    public function testTheSpecialValuesAreTheHeaders(): void
    {
        $header = (string) file_get_contents(dirname(__DIR__, 2) . '/include/keepalive.h');
        foreach (['KA_DEFAULT' => Keepalive::SYSTEM_DEFAULT, 'KA_UNCHANGED' => Keepalive::UNCHANGED] as $name => $value) {
            self::assertSame(1, preg_match("/^#define $name (-?\d+)$/m", $header, $found), $name);
            self::assertSame($value, (int) $found[1]);
        }
    }

    public function testTheDefaultsAreTheLibrarysWithAndWithoutFfi(): void
    {
        $defaults = self::library()->ka_defaults();
        $expected = [$defaults->enabled === 1, $defaults->idle, $defaults->intvl, $defaults->cnt];
        foreach (['ffi', 'sockets'] as $backend) {
            self::useBackend($backend);
            $php = Keepalive::defaults();
            self::assertSame($expected, [$php->enabled(), $php->idle(), $php->interval(), $php->count()], $backend);
        }
    }

    private static function library(): \FFI
    {
        static $library = null;
        return $library = $library ?? \FFI::cdef((string) file_get_contents(dirname(__DIR__) . '/keepalive-ffi.h'), Library::find());
    }
}
