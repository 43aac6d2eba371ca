<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;

/** From the first call to the last: destructors, shutdown functions, forks, memory. */
final class LifeOfAProcessTest extends KeepaliveTestCase
{
    private const OPEN = '$listener = stream_socket_server("tcp://127.0.0.1:0");
        $stream = stream_socket_client("tcp://" . stream_socket_get_name($listener, false));
        function check($stream) {
            Keepalive\Keepalive::enable($stream, 42, 7, 3);
            return json_encode(Keepalive\Tests\Support\Kernel::options($stream)) . Keepalive\Keepalive::backend() . " ";
        }
        ';

    private const ON = '{"on":1,"idle":42,"interval":7,"count":3,"userTimeoutMs":0}';

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItWorksInDestructorsAndShutdownFunctions(string $backend): void
    {
        $said = self::inChild($backend, '
            class Connection {
                public $stream;
                function __destruct() { echo "destructor: ", check($this->stream); }
            }
            $early = new Connection();
            $early->stream = $stream;
            unset($early);
            register_shutdown_function(function () use ($stream) { echo "shutdown: ", check($stream); });
            // Until the very end: PHP destroys what is left after the shutdown functions.
            $late = new Connection();
            $late->stream = $stream;');
        $on = self::ON . "$backend ";
        self::assertSame("destructor: {$on}shutdown: {$on}destructor: $on", $said);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItWorksForTheFirstTimeInADestructorAtTheEnd(string $backend): void
    {
        $said = self::inChild($backend, '
            class Connection {
                public $stream;
                function __destruct() { echo check($this->stream); }
            }
            $late = new Connection();
            $late->stream = $stream;');
        self::assertSame(self::ON . "$backend ", $said);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItWorksAfterAFatalError(string $backend): void
    {
        $child = Child::php(
            self::OPEN . 'register_shutdown_function(function () use ($stream) { echo check($stream); });
            throw new Exception("the end");',
            $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0']
        );
        self::assertSame(self::ON . "$backend ", $child->output);
        self::assertStringContainsString('Uncaught Exception: the end', $child->errors);
        self::assertSame(255, $child->status);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItWorksInBothHalvesOfAFork(string $backend): void
    {
        $said = self::inChild($backend, '
            check($stream);
            $pid = pcntl_fork();
            if ($pid === 0) {
                $listener = stream_socket_server("tcp://127.0.0.1:0");
                $own = stream_socket_client("tcp://" . stream_socket_get_name($listener, false));
                echo "child: ", check($own);
                exit;
            }
            pcntl_waitpid($pid, $status);
            echo "parent: ", check($stream);');
        $on = self::ON . "$backend ";
        self::assertSame("child: {$on}parent: $on", $said);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testMemoryDoesNotGrow(string $backend): void
    {
        $said = self::inChild($backend, '
            $round = function () use ($stream) {
                for ($i = 0; $i < 2000; $i++) {
                    Keepalive\Keepalive::enable($stream, 42, 7, 3, 63000);
                    Keepalive\Keepalive::settings($stream);
                    try { Keepalive\Keepalive::enable(STDIN); } catch (Throwable $e) { unset($e); }
                }
                gc_collect_cycles();
                return memory_get_usage();
            };
            $round();
            $before = $round();
            echo $round() - $before;');
        self::assertSame('0', $said);
    }

    private static function inChild(string $backend, string $code): string
    {
        return Child::php(self::OPEN . $code, $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0'])->cleanOutput();
    }
}
