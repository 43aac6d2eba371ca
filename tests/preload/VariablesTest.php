<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Settings;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Folder;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** LIBKEEPALIVE, LIBKEEPALIVE_TO and LIBKEEPALIVE_LOG, with a Python program. */
final class VariablesTest extends TestCase
{
    /** Prints the five options of a new socket. */
    private const SHOW = 'import socket; s = socket.socket(); '
        . 'print(*(s.getsockopt(*o) for o in ((1, 9), (6, 4), (6, 5), (6, 6), (6, 18))))';

    /** Connects to a server of its own. */
    private const CONNECT = 'import socket; l = socket.create_server(("127.0.0.1", 0)); '
        . 'c = socket.create_connection(l.getsockname())';

    private static string $folder;

    public static function setUpBeforeClass(): void
    {
        self::$folder = Folder::create();
    }

    public static function tearDownAfterClass(): void
    {
        Folder::remove(self::$folder);
    }

    /** @param array<string, string> $environment */
    private static function python(string $code, array $environment): Child
    {
        return Program::run(['/usr/bin/python3', '-c', $code], $environment);
    }

    private static function defaults(): string
    {
        return '0 ' . implode(' ', \Keepalive\Tests\Support\Kernel::defaults()) . " 0\n";
    }

    public function testWithinIsThePromiseOfTheLibrary(): void
    {
        foreach ([6, 30, 3600] as $seconds) {
            $settings = Settings::detectWithin($seconds);
            self::assertSame(
                "1 {$settings->idle()} {$settings->interval()} {$settings->count()} {$settings->userTimeoutMs()}\n",
                self::python(self::SHOW, ['LIBKEEPALIVE' => "within=$seconds"])->cleanOutput()
            );
        }
    }

    public function testValues(): void
    {
        self::assertSame("1 60 10 6 0\n", self::python(self::SHOW, ['LIBKEEPALIVE' => '60,10,6'])->cleanOutput());
        $four = ['LIBKEEPALIVE' => '60,10,6,120000'];
        self::assertSame("1 60 10 6 120000\n", self::python(self::SHOW, $four)->cleanOutput());
    }

    public function testNothingSetNothingDone(): void
    {
        foreach ([[], ['LIBKEEPALIVE' => ''], ['LIBKEEPALIVE_TO' => '*', 'LIBKEEPALIVE_LOG' => 'stderr']] as $variables) {
            self::assertSame(self::defaults(), self::python(self::SHOW, $variables)->cleanOutput());
        }
    }

    /** @return array<string, array{array<string, string>, string}> */
    public static function wrong(): array
    {
        $on = ['LIBKEEPALIVE' => 'within=30'];
        $form = 'it is neither within=SECONDS nor IDLE,INTERVAL,COUNT[,USER_TIMEOUT_MS]';
        $host = 'it is neither an IP address nor *; names are not looked up';
        return [
            'a word' => [['LIBKEEPALIVE' => 'on'], "\"on\" in LIBKEEPALIVE cannot be used: $form"],
            'a line break' => [['LIBKEEPALIVE' => "on\n\e[1m"], "\"on??[1m\" in LIBKEEPALIVE cannot be used: $form"],
            'too short' => [
                ['LIBKEEPALIVE' => 'within=5'],
                '"within=5" in LIBKEEPALIVE cannot be used: within= takes 6 to 14400 seconds',
            ],
            'an interval of 0' => [
                ['LIBKEEPALIVE' => '60,0,6'],
                '"60,0,6" in LIBKEEPALIVE cannot be used: the interval is not 1 to 32767 seconds',
            ],
            'a name' => [
                $on + ['LIBKEEPALIVE_TO' => '*:80,db.example:3306'],
                "\"db.example:3306\" in LIBKEEPALIVE_TO cannot be used: $host",
            ],
            'a relative path' => [
                $on + ['LIBKEEPALIVE_LOG' => 'log'],
                '"log" in LIBKEEPALIVE_LOG cannot be used: it is neither stderr nor a path that begins with /',
            ],
        ];
    }

    /**
     * @dataProvider wrong
     * @param array<string, string> $variables
     */
    #[DataProvider('wrong')]
    public function testAWrongVariableIsOneLineAndNothingIsSet(array $variables, string $line): void
    {
        $child = self::python(self::SHOW, $variables);
        self::assertSame(self::defaults(), $child->output);
        self::assertSame("libkeepalive-preload: $line. Nothing is set.\n", $child->errors);
        self::assertSame(0, $child->status);
    }

    public function testTheLogHasALineForEachSocket(): void
    {
        $log = self::$folder . '/log';
        self::python(self::CONNECT, ['LIBKEEPALIVE' => '60,10,6,120000', 'LIBKEEPALIVE_LOG' => $log])->cleanOutput();
        $line = 'libkeepalive-preload: python3[N]: socket N: set, idle N s, interval N s, count N, user timeout N ms';
        self::assertSame([$line, $line], self::lines((string) file_get_contents($log)));
        $document = (string) file_get_contents(dirname(__DIR__, 2) . '/docs/preload.md');
        preg_match('/^```text\n(.*)$/m', $document, $shown);
        self::assertSame(str_replace('python3', 'psql', $line), self::lines($shown[1])[0]);
        self::assertStringContainsString(
            ': set, idle 60 s, interval 10 s, count 6, user timeout 120000 ms',
            (string) file_get_contents($log)
        );
    }

    public function testTheLogNamesAddressesWhereRulesDo(): void
    {
        $variables = ['LIBKEEPALIVE' => '60,10,6', 'LIBKEEPALIVE_TO' => '127.0.0.1', 'LIBKEEPALIVE_LOG' => 'stderr'];
        $set = 'set, idle N s, interval N s, count N, user timeout left';
        self::assertSame([
            "libkeepalive-preload: python3[N]: socket N, listening at N.N.N.N:N: $set",
            "libkeepalive-preload: python3[N]: socket N, connecting to N.N.N.N:N: $set",
        ], self::lines(self::python(self::CONNECT, $variables)->errors));
    }

    /** Programs that do not block call connect() again for the result. */
    public function testConnectingAgainIsNoOtherLine(): void
    {
        $code = 'import socket; l = socket.create_server(("127.0.0.1", 0)); c = socket.socket(); '
            . 'print(c.connect_ex(l.getsockname()), c.connect_ex(l.getsockname()))';
        $variables = ['LIBKEEPALIVE_TO' => '127.0.0.1', 'LIBKEEPALIVE_LOG' => 'stderr'];
        foreach (['60,10,6', 'within=30'] as $values) {
            $child = self::python($code, ['LIBKEEPALIVE' => $values] + $variables);
            self::assertSame('0 ' . SOCKET_EISCONN . "\n", $child->output);
            self::assertSame(1, substr_count($child->errors, 'connecting to'), $child->errors);
        }
    }

    /** @return string[] with N for numbers */
    private static function lines(string $text): array
    {
        $text = (string) preg_replace('/(?<![a-z=",])\d+(?= |\]|:|,|\.|$)/m', 'N', $text);
        return explode("\n", rtrim($text));
    }

    /** A daemon that closes standard error must not find the log's lines in its next file. */
    public function testStandardErrorIsTheOneOfTheStart(): void
    {
        $file = self::$folder . '/next';
        $code = "import os, socket; os.close(2); f = open('$file', 'w'); assert f.fileno() == 2; socket.socket()";
        self::python($code, ['LIBKEEPALIVE' => '60,10,6', 'LIBKEEPALIVE_LOG' => 'stderr'])->cleanOutput();
        self::assertSame('', file_get_contents($file));
    }

    /** A log never stops the program: not a full pipe, not one without a reader, and not a missing folder. */
    public function testALogThatCannotBeWrittenStopsNothing(): void
    {
        $fifo = self::$folder . '/fifo';
        posix_mkfifo($fifo, 0600);
        foreach ([$fifo, '/missing/folder/log', '/dev/full'] as $log) {
            $variables = ['LIBKEEPALIVE' => '60,10,6', 'LIBKEEPALIVE_LOG' => $log];
            self::assertSame("1 60 10 6 0\n", self::python(self::SHOW, $variables)->cleanOutput(), $log);
        }
        $full = 'import os, fcntl, socket; r, w = os.pipe(); fcntl.fcntl(w, fcntl.F_SETFL, os.O_NONBLOCK)
try:
    while True: os.write(w, b"x" * 4096)
except BlockingIOError: pass
fcntl.fcntl(w, fcntl.F_SETFL, 0)
import subprocess, sys
print(subprocess.run([sys.executable, "-c", "import socket; socket.socket()"], stderr=w, timeout=10).returncode)';
        $variables = ['LIBKEEPALIVE' => '60,10,6', 'LIBKEEPALIVE_LOG' => 'stderr'];
        self::assertSame("0\n", self::python($full, $variables)->cleanOutput());
    }
}
