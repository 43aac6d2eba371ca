<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use Keepalive\Tests\Support\Source;
use PHPUnit\Framework\Attributes\DataProvider;

/** A million calls, signal handlers that close streams or throw, and functions that a host has taken away. */
final class MisuseTest extends KeepaliveTestCase
{
    private const OPEN = 'use Keepalive\Keepalive;
        $listener = stream_socket_server("tcp://127.0.0.1:0");
        $address = "tcp://" . stream_socket_get_name($listener, false);
        $stream = stream_socket_client($address);
        ';

    /** Alone or together, on some host or other. */
    private const SOME_HOSTS_TAKE = [
        'file_get_contents', 'fstat', 'getenv', 'ini_get', 'php_uname',
        'socket_addrinfo_lookup', 'socket_create', 'socket_export_stream',
        'socket_get_option', 'socket_import_stream', 'socket_last_error', 'socket_set_option', 'socket_strerror',
        'stream_get_transports', 'stream_set_read_buffer', 'stream_socket_client',
        'stream_socket_enable_crypto',
    ];

    /** Sends $signal to its parent again and again, for as long as that lives. */
    private const DISTURB = '
        pcntl_signal(SIGUSR1, SIG_IGN);
        $parent = getmypid();
        if (($disturber = pcntl_fork()) === 0) {
            while (posix_getppid() === $parent) { posix_kill($parent, SIGUSR1); usleep(300); }
            posix_kill(getmypid(), SIGKILL);
        }
        pcntl_async_signals(true);
        ';

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAMillionCallsLeaveNothingBehind(string $backend): void
    {
        $said = self::inChild($backend, '
            $resident = function () {
                gc_collect_cycles();
                preg_match("/^Anonymous:\s+(\d+)/m", file_get_contents("/proc/self/smaps_rollup"), $found);
                return (int) $found[1];
            };
            $rounds = function (int $rounds) use ($stream) {
                for ($i = 0; $i < $rounds; $i++) {
                    Keepalive::enable($stream, 42, 7, 3);
                    Keepalive::settings($stream);
                    Keepalive::disable($stream);
                    try { Keepalive::enable($stream, 0, 0, 128); } catch (\Keepalive\Exception\KeepaliveException $e) { }
                }
            };
            $descriptors = count(scandir("/proc/self/fd"));
            $used = $grown = $residentBefore = $residentAfter = 0;
            $rounds(20000);
            $residentBefore = $resident();
            $used = memory_get_usage();
            $rounds(230000);
            $grown = memory_get_usage() - $used;
            $residentAfter = $resident();
            // 920,000 calls: one byte left by each would be 898 KB. Less is malloc, and pages first touched now.
            echo count(scandir("/proc/self/fd")) - $descriptors, " $grown ",
                $residentAfter - $residentBefore < 898 ? "flat" : "from $residentBefore to $residentAfter KB";');
        self::assertSame('0 0 flat', $said);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testAStreamThatASignalHandlerClosesIsAnErrorOfThePackage(string $backend): void
    {
        $said = self::inChild($backend, self::DISTURB . '
            $closed = 0;
            pcntl_signal(SIGUSR1, function () use (&$stream, &$closed) {
                if (is_resource($stream)) { fclose($stream); $closed++; }
            });
            $refused = [];
            $end = microtime(true) + 2;
            while (microtime(true) < $end) {
                $stream = stream_socket_client($address);
                fclose(stream_socket_accept($listener));
                try {
                    for ($i = 0; $i < 1000; $i++) {
                        Keepalive::enable($stream, 42, 7, 3, 63000);
                        Keepalive::settings($stream);
                    }
                } catch (\Keepalive\Exception\KeepaliveException $e) {
                    $refused[get_class($e) . " " . $e->getCode()] = true;
                }
            }
            posix_kill($disturber, SIGKILL);
            ksort($refused);
            echo $closed > 100 ? "closed" : "closed $closed times only", " ", implode(", ", array_keys($refused));');
        self::assertStringStartsWith('closed Keepalive\Exception\\', $said);
        // Closed before, and closed between looking for it and setting it: EBADF, ENOENT.
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
     * through FFI (8.4 to 8.6), and PHP 7.4 wherever it throws.
     *
     * @dataProvider backends
     */
    #[DataProvider('backends')]
    public function testASignalHandlerFindsAllAsItWasBeforeTheCallOrAfterIt(string $backend): void
    {
        $throws = var_export($backend === 'sockets' && PHP_VERSION_ID >= 80000, true);
        $said = self::inChild($backend, self::DISTURB . '
            final class Interruption extends Exception { }
            $application = function () { return false; };
            set_error_handler($application);
            $settings = [\Keepalive\Settings::of(60, 10, 6, 60000), \Keepalive\Settings::of(30, 5, 3, 30000)];
            $isWhole = function () use ($stream, $settings, $application) {
                $handler = set_error_handler(null);
                restore_error_handler();
                return $handler === $application && in_array(Keepalive::settings($stream), $settings);
            };
            Keepalive::apply($stream, $settings[0]);
            $runs = $broken = 0;
            $inside = false;
            pcntl_signal(SIGUSR1, function () use (&$runs, &$broken, &$inside, $isWhole) {
                if ($inside) {
                    $inside = false;
                    $runs++;
                    $broken += (int) !$isWhole();
                    if (' . $throws . ') { throw new Interruption(); }
                }
            });
            $end = microtime(true) + 2;
            for ($i = 0; microtime(true) < $end; $i++) {
                try {
                    $inside = true;
                    Keepalive::apply($stream, $settings[$i % 2]);
                    ' . ($throws === 'true' ? '' : 'Keepalive::enable(STDERR);') . '
                    $inside = false; // in here: a handler could throw on the way out
                } catch (Interruption $interruption) {
                } catch (\Keepalive\Exception\SocketException $refused) {
                    $inside = false;
                }
                $broken += (int) !$isWhole();
            }
            posix_kill($disturber, SIGKILL);
            echo $runs > 100 ? "interrupted" : "interrupted $runs times only", ", broken $broken";');
        self::assertSame('interrupted, broken 0', $said);
    }

    /**
     * What hosts take away. What the package needs itself is not among it: fstat, stream_... and
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
        $said = Child::php(self::OPEN . '
            Keepalive::enable($stream, 42, 7, 3, 63000);
            echo Keepalive::settings($stream)->idle(), " ", Keepalive::defaults()->count(), " ";
            echo Keepalive::settings(Keepalive::connect($address))->idle(), " ";
            try { Keepalive::enable(STDERR); } catch (\Keepalive\Exception\KeepaliveException $e) { echo "refused "; }
            Keepalive::disable($stream);
            echo Keepalive::backend();', array_merge($flags, $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0']));
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
        $child = Child::php('use Keepalive\Keepalive;
            $stream = stream_socket_server("tcp://127.0.0.1:0");
            $works = [
                function () use ($stream) { Keepalive::enable($stream, 42, 7, 3, 63000); },
                function () use ($stream) { return Keepalive::settings($stream); },
                function () use ($stream) { Keepalive::disable($stream); },
                function () use ($stream) { return Keepalive::settings(socket_import_stream($stream)); },
                function () { return Keepalive::defaults(); },
                function () { return Keepalive::backend(); },
                function () use ($stream) { Keepalive::connect(stream_socket_get_name($stream, false)); },
            ];
            foreach ($works as $number => $work) {
                if ($number === 3 && !function_exists("socket_import_stream")) {
                    continue;
                }
                try {
                    $work();
                    echo "fine\n";
                } catch (\Keepalive\Exception\UnavailableException $e) {
                    echo $e->getMessage(), "\n";
                }
            }', array_merge(['-d', "disable_functions=$function"], $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0']));
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

    private static function inChild(string $backend, string $code): string
    {
        return Child::php(self::OPEN . $code, $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0'])->cleanOutput();
    }
}
