<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;

/**
 * Programs that the tests start do not overwrite what the tests print.
 *
 * PHP moves the offset of a file that it gives to a child as STDOUT or STDERR back to where it was at
 * the start, so what was printed until then is overwritten. A child that is given neither has both.
 */
final class ChildProcessesTest extends KeepaliveTestCase
{
    public function testWhatIsSaidIntoAFileStaysWhereATlsServerIsStarted(): void
    {
        $script = 'require $argv[1]; echo "before\n"; new Keepalive\Tests\Support\TlsServer([]); echo "after\n";';
        $file = $this->folder() . '/said';
        Child::run(['sh', '-c', 'file=$1; shift; exec "$@" >"$file" 2>&1', 'sh', $file, PHP_BINARY, '-r', $script, '--',
            __DIR__ . '/bootstrap.php']);
        self::assertSame("before\nafter\n", file_get_contents($file));
    }

    /** Which tests start programs without Process, and why. */
    private const ELSEWHERE = [
        'php/tests/ListTest.php' => 'a child that inherits this process\'s sockets',
        'tests/deadpeer/CProgram.php' => 'the laboratory of two hosts, also without FFI, which Process needs',
        'tests/deadpeer/NearHost.php' => 'the same',
        'tests/deadpeer/Stage.php' => 'the same',
    ];

    public function testProgramsAreStartedInOnePlace(): void
    {
        $root = dirname(__DIR__, 2);
        $found = [];
        foreach (['php/tests', 'tests', 'benches'] as $folder) {
            foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator("$root/$folder")) as $file) {
                $code = $file->isFile() ? (string) file_get_contents($file->getPathname()) : '';
                if (strpos($code, '<?php') !== false && preg_match('/(?<!function )\bproc_open\(/', $code) === 1) {
                    $found[] = substr($file->getPathname(), strlen("$root/"));
                }
            }
        }
        $expected = array_merge(array_keys(self::ELSEWHERE), ['php/tests/Support/Process.php']);
        sort($found);
        sort($expected);
        self::assertSame($expected, $found);
    }
}
