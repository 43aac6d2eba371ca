<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Settings;
use Keepalive\Tests\Support\Child;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** The examples of docs/preload.md and docs/man/libkeepalive-preload.7, as they are printed. */
final class DocumentTest extends TestCase
{
    private const OBJECT = '/libkeepalive/libkeepalive-preload.so';

    /** Prints the options of a connection to a server of its own. */
    private const SHOW = 'import socket; l = socket.create_server(("127.0.0.1", 0)); '
        . 'c = socket.create_connection(l.getsockname()); '
        . 'print(*(c.getsockopt(*o) for o in ((1, 9), (6, 4), (6, 5), (6, 6), (6, 18))))';

    private static function document(): string
    {
        return (string) file_get_contents(dirname(__DIR__, 2) . '/docs/preload.md');
    }

    private static function block(string $language): string
    {
        self::assertSame(1, preg_match("/^```$language\n(.*?)^```$/ms", self::document(), $found), $language);
        return $found[1];
    }

    private static function promise(): string
    {
        $promise = Settings::detectWithin(30);
        return "1 {$promise->idle()} {$promise->interval()} {$promise->count()} {$promise->userTimeoutMs()}\n";
    }

    /** The block's variables do what they are for, with the object of this build in place of the installed one. */
    private static function assertVariablesWork(array $variables): void
    {
        self::assertStringEndsWith(self::OBJECT, $variables['LD_PRELOAD']);
        unset($variables['LD_PRELOAD']);
        if (isset($variables['LIBKEEPALIVE_TO'])) {
            $variables['LIBKEEPALIVE_TO'] .= ',127.0.0.1';
        }
        $said = Program::run(['/usr/bin/python3', '-c', self::SHOW], $variables)->cleanOutput();
        self::assertSame(self::promise(), $said);
    }

    public function testTheShell(): void
    {
        $lines = explode("\n", trim(self::block('sh')));
        self::assertStringStartsWith('psql ', (string) array_pop($lines));
        array_push($lines, '/usr/bin/python3 -c "$0"');
        $path = '/usr/local/lib' . self::OBJECT;
        $script = str_replace($path, (string) realpath(Program::OBJECT), implode("\n", $lines), $replaced);
        self::assertSame(1, $replaced);
        self::assertSame(self::promise(), Child::run(['sh', '-eu', '-c', $script, self::SHOW])->cleanOutput());
    }

    public function testDocker(): void
    {
        preg_match_all('/^ENV (\w+)=(\S+)$/m', self::block('dockerfile'), $lines);
        self::assertVariablesWork(array_combine($lines[1], $lines[2]));
    }

    public function testKubernetes(): void
    {
        preg_match_all('/- name: (\w+)\n +value: "?([^"\n]+)"?$/m', self::block('yaml'), $lines);
        self::assertSame(['LD_PRELOAD', 'LIBKEEPALIVE', 'LIBKEEPALIVE_TO'], $lines[1]);
        self::assertVariablesWork(array_combine($lines[1], $lines[2]));
    }

    public function testEachRuleOfTheTableIsOne(): void
    {
        [, $table] = explode("A rule is `ADDRESS`", self::document(), 2);
        preg_match_all('/^\| (`.*`) \|/m', explode("\n\nNames", $table)[0], $rows);
        preg_match_all('/`([^`]+)`/', implode(' ', $rows[1]), $rules);
        self::assertGreaterThan(8, count($rules[1]));
        foreach ($rules[1] as $rule) {
            $variables = ['LIBKEEPALIVE' => 'within=30', 'LIBKEEPALIVE_TO' => $rule];
            self::assertSame('', Program::run(['true'], $variables)->cleanOutput(), $rule); // no error line
        }
    }
}
