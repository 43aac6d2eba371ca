<?php

declare(strict_types=1);

namespace Keepalive\Tests\Examples;

use Keepalive\Tests\Support\Folder;
use PHPUnit\Framework\Attributes\Group;

/**
 * make demo: shows what it promises, with and without a terminal, and leaves nothing behind.
 *
 * @group once
 * @group program
 */
#[Group('once')]
#[Group('program')]
final class DemoTest extends ExamplesTestCase
{
    private const ROOT = __DIR__ . '/../../..';

    private string $folder;

    protected function setUp(): void
    {
        $this->folder = Folder::create();
    }

    protected function tearDown(): void
    {
        Folder::remove($this->folder);
    }

    public function testShowsTheKernelsReportTwiceWithoutATerminal(): void
    {
        foreach (['first', 'second'] as $time) {
            $demo = Program::start('env', "TMPDIR=$this->folder", 'make', '-s', '-C', self::ROOT, 'demo');
            self::assertSame(0, $demo->status(), "$time time: {$demo->errors()}");
            $shown = $demo->output();

            self::assertStringNotContainsString("\e", $shown, 'colours in a file');
            self::assertSame([], preg_grep('/.{81}/u', explode("\n", $shown)), 'lines wider than 80 columns');
            self::assertMatchesRegularExpression('/^  library   1\.\d+\.\d+, \S+/m', $shown);
            self::assertStringContainsString('PHP       ' . PHP_VERSION, $shown);
            self::assertStringContainsString('kernel    Linux ' . php_uname('r'), $shown);
            $fresh = vsprintf('idle %2$d s, interval %3$d s, count %4$d', self::freshSettings());
            self::assertStringContainsString("$fresh. A peer that is gone", $shown);
            self::assertSame(2, preg_match_all("/before  keepalive off, $fresh/", $shown));
            self::assertSame(2, preg_match_all('/ss  \S+ \S+ \(no timer\)$/m', $shown));
            self::assertMatchesRegularExpression(
                '/after   keepalive on, idle 60 s, interval 10 s, count 6, user timeout none\n'
                    . '      ss  \S+ \S+ timer:\(keepalive,(1min|5\dsec),0\)/',
                $shown
            );
            self::assertMatchesRegularExpression(
                '/TLSv1\.[23] with openssl s_server.*'
                    . 'after   keepalive on, idle 3 s, interval 2 s, count 5, user timeout 13000 ms\n'
                    . '      ss  \S+ \S+ timer:\(keepalive,([12]\.\d+ms|3sec),0\)/s',
                $shown
            );
            self::assertMatchesRegularExpression(
                '/0\.\d s +both: ESTABLISHED
( +\d+\.\d s   -> probe
 +\d+\.\d s   <- answer +the other host lives
){3} +\d+\.\d s   -- the network is cut -+ both: ESTABLISHED
 +\d+\.\d s   -> probe 1
 +\d+\.\d s   -> probe 2
 +\d+\.\d s   -> probe 3
 +\d+\.\d s   -> reset
 +\d+\.\d s +\$with: fread\(\) is false, CLOSE
 +\d+\.\d s +\$without: fread\(\) waits, ESTABLISHED

  [3-9]\.\d s after the cut the one program knows, as promised within 10 s\./',
                $shown
            );
            $this->assertNothingIsLeft();
        }
    }

    public function testShowsWhatItCanWhereThereAreNoNamespaces(): void
    {
        $command = 'echo 0 >/proc/sys/user/max_net_namespaces && exec "$0" "$1"';
        $demo = Program::start(
            ...['env', "TMPDIR=$this->folder", 'unshare', '-Ur', 'sh', '-c', $command],
            ...[PHP_BINARY, self::ROOT . '/php/examples/demo/demo.php']
        );
        self::assertSame(0, $demo->status(), $demo->errors());
        self::assertStringContainsString('  Two hosts are not possible here. ', $demo->output());
        self::assertSame(3, substr_count($demo->output(), 's of silence: a probe, and the peer\'s kernel answered'));
        self::assertSame([], preg_grep('/.{81}/u', explode("\n", $demo->output())));
        $this->assertNothingIsLeft();
    }

    public function testUsesColoursOnATerminalUnlessTheyAreUnwanted(): void
    {
        $demo = PHP_BINARY . ' ' . self::ROOT . '/php/examples/demo/demo.php';
        $terminal = Program::start('env', "TMPDIR=$this->folder", 'script', '-qec', $demo, '/dev/null');
        $plain = Program::start('env', "TMPDIR=$this->folder", 'NO_COLOR=1', 'script', '-qec', $demo, '/dev/null');
        self::assertSame(0, $terminal->status());
        self::assertStringContainsString("\e[1m2. A TCP connection\e[0m", $terminal->output());
        self::assertStringContainsString("\e[33m-> probe 1", $terminal->output());

        self::assertSame(0, $plain->status());
        self::assertStringNotContainsString("\e[", $plain->output());
        $this->assertNothingIsLeft();
    }

    private function assertNothingIsLeft(): void
    {
        self::assertSame(['.', '..'], scandir($this->folder), 'files');
        $left = [];
        foreach (glob('/proc/[0-9]*/cmdline') ?: [] as $file) {
            $command = (string) @file_get_contents($file);
            if (strpos($command, $this->folder) !== false) {
                $left[] = strtr($command, "\0", ' ');
            }
        }
        self::assertSame([], $left, 'processes');
    }
}
