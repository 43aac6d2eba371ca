<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;

/** Many calls, signal handlers that close streams or throw, and functions that a hosting provider has disabled. */
final class MisuseTest extends KeepaliveTestCase
{
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
        $gone = 'exec,passthru,shell_exec,system,proc_open,popen,pcntl_fork,pcntl_exec,dl,putenv,php_uname,'
            . 'phpinfo,phpversion,getmyuid,getmypid,get_current_user,posix_getpwuid,posix_geteuid,posix_kill,'
            . 'show_source,highlight_file,symlink,link,chmod,chown,ini_set,ini_alter,ini_restore,set_time_limit,'
            . 'error_log,debug_backtrace,syslog,openlog,apache_setenv,curl_exec,mail,fsockopen,pfsockopen';
        $flags = ['-d', "disable_functions=$gone"];
        $said = Child::program('uses-everything', array_merge($flags, $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0']));
        self::assertSame("42 9 60 refused $backend", $said->cleanOutput());
    }

    /** @param string[] $arguments */
    private static function inChild(string $backend, string $program, array $arguments = []): string
    {
        $flags = $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0'];
        return Child::program($program, $flags, [], [], $arguments)->cleanOutput();
    }
}
