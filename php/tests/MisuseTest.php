<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Source;
use PHPUnit\Framework\Attributes\DataProvider;

/** Many calls, signal handlers that close streams or throw, and functions that a hosting provider has disabled. */
final class MisuseTest extends KeepaliveTestCase
{
    /** Each of them is disabled by some hosting provider. */
    private const SOME_HOSTS_TAKE = [
        'file_get_contents', 'fstat', 'getenv', 'ini_get', 'php_uname',
        'socket_addrinfo_lookup', 'socket_create', 'socket_export_stream',
        'socket_get_option', 'socket_import_stream', 'socket_last_error', 'socket_set_option', 'socket_strerror',
        'stream_get_transports', 'stream_set_read_buffer', 'stream_socket_client',
        'stream_socket_enable_crypto',
    ];

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testManyCallsLeaveNothingBehind(string $backend): void
    {
        $said = self::inChild($backend, 'many-calls');
        self::assertSame('0 0 flat', $said);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAStreamThatASignalHandlerClosesIsAnErrorOfThePackage(string $backend): void
    {
        $said = self::inChild($backend, 'disturbed-by-close');
        self::assertStringStartsWith('closed Keepalive\Exception\\', $said);
        // The stream was closed before the call, or after its descriptor was found: EBADF, ENOENT.
        $expected = [
            'Keepalive\Exception\TypeError 0',
            'Keepalive\Exception\SocketException 2',
            'Keepalive\Exception\SocketException 9',
        ];
        if (PHP_VERSION_ID < 80000) {
            // There PHP's functions return false for a closed stream, as for one that has no socket: ENOTSOCK.
            $expected[] = 'Keepalive\Exception\SocketException 88';
            $expected[] = 'Keepalive\Exception\UnavailableException 0';
        }
        foreach (explode(', ', substr($said, strlen('closed '))) as $refusal) {
            self::assertContains($refusal, $expected, $said);
        }
    }

    /**
     * With FFI, and with PHP 7.4, the handler does not throw: PHP itself crashes when one throws right after a call
     * through FFI (8.4 to 8.6), and PHP 7.4 in all cases.
     *
     * @dataProvider backends
     */
    #[DataProvider('backends')]
    public function testASignalHandlerFindsAllAsItWasBeforeTheCallOrAfterIt(string $backend): void
    {
        $throws = $backend === 'sockets' && PHP_VERSION_ID >= 80000;
        $said = self::inChild($backend, 'disturbed-by-throw', $throws ? ['throws'] : []);
        self::assertSame('interrupted, broken 0', $said);
    }

    /**
     * Functions that hosting providers disable, without those that the package needs: fstat, stream_... and
     * socket_... functions.
     *
     * @dataProvider backends
     */
    #[DataProvider('backends')]
    public function testItNeedsNoneOfTheFunctionsThatHostsTakeAway(string $backend): void
    {
        $gone = 'exec,passthru,shell_exec,system,proc_open,popen,pcntl_fork,pcntl_exec,dl,putenv,getenv,php_uname,'
            . 'phpinfo,phpversion,getmyuid,getmypid,get_current_user,posix_getpwuid,posix_geteuid,posix_kill,'
            . 'show_source,highlight_file,symlink,link,chmod,chown,ini_set,ini_alter,ini_restore,set_time_limit,'
            . 'error_log,debug_backtrace,syslog,openlog,apache_setenv,curl_exec,mail,fsockopen,pfsockopen';
        $flags = ['-d', "disable_functions=$gone"];
        $said = Child::program('uses-everything', array_merge($flags, $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0']));
        self::assertSame("42 9 60 refused $backend", $said->cleanOutput());
    }

    /** @return array<string, array{string, string}> */
    public static function functions(): array
    {
        $rows = [];
        foreach (['Address', 'Connector', 'FfiBackend', 'HiddenSocket', 'Library', 'Php', 'SocketKind', 'SocketsBackend'] as $class) {
            foreach (array_intersect(Source::functions("src/Internal/$class.php"), self::SOME_HOSTS_TAKE) as $function) {
                $rows[$function] = [$function];
            }
        }
        return self::withBothBackends($rows);
    }

    /** @dataProvider functions */
    #[DataProvider('functions')]
    public function testAFunctionThatIsTakenAwayIsNotMissedOrIsNamed(string $backend, string $function): void
    {
        $flags = ['-d', "disable_functions=$function"];
        $child = Child::program('each-call', array_merge($flags, $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0']));
        $errors = $child->errors;
        if (PHP_VERSION_ID < 80000) { // there it warns, and returns null
            $errors = preg_replace('/^(PHP )?Warning: .*$\n?/m', '', $errors);
        }
        self::assertSame([0, ''], [$child->status, trim((string) $errors)], $child->output);
        foreach (explode("\n", trim($child->output)) as $said) {
            self::assertContains($said, [
                'fine',
                "PHP's function $function() is needed, and cannot be called: take it out of disable_functions in php.ini.",
            ]);
        }
    }

    /** @param string[] $arguments */
    private static function inChild(string $backend, string $program, array $arguments = []): string
    {
        $flags = $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0'];
        return Child::program($program, $flags, [], [], $arguments)->cleanOutput();
    }
}
