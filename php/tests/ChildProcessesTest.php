<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;

/**
 * Programs that the tests start leave what the tests say as it is.
 *
 * PHP moves the offset of a file that it gives to a child as STDOUT or STDERR back to where it was at
 * the start, and what was said until then is overwritten. A child that is given neither has both.
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

    public function testNoProgramIsStartedWithStdoutOrStderr(): void
    {
        $root = dirname(__DIR__, 2);
        $starts = 0;
        foreach (['php', 'tests', 'docs', 'examples', 'benches'] as $folder) {
            foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator("$root/$folder")) as $file) {
                $code = $file->isFile() ? (string) file_get_contents($file->getPathname()) : '';
                if (strpos($code, '<?php') === false || $file->getPathname() === __FILE__) {
                    continue;
                }
                preg_match_all('/\bproc_open\([^;]*;/', $code, $calls);
                $starts += count($calls[0]);
                foreach ($calls[0] as $call) {
                    self::assertDoesNotMatchRegularExpression('/\bSTD(OUT|ERR)\b|php:/', $call, $file->getPathname());
                }
            }
        }
        self::assertGreaterThan(10, $starts);
    }
}
