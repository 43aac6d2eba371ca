<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Servers\Support\Servers;
use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Folder;
use Keepalive\Tests\Support\Kernel;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/autoload.php';

/** The table "Beside libkeepalive0 and libdontdie0" of docs/preload.md: what it says about the two. */
final class ComparisonTest extends TestCase
{
    /** What the socket has that the variables ask for; the last number is the user timeout. */
    private const FOUR = '1 47 11 5 0';

    private const VARIABLES = [
        'KEEPALIVE' => 'on', 'KEEPIDLE' => '47', 'KEEPINTVL' => '11', 'KEEPCNT' => '5',
        'DD_TCP_KEEPALIVE_TIME' => '47', 'DD_TCP_KEEPALIVE_INTVL' => '11', 'DD_TCP_KEEPALIVE_PROBES' => '5',
    ];

    private static string $folder;
    private static string $program;

    public static function setUpBeforeClass(): void
    {
        self::$folder = Folder::create();
        self::$program = self::$folder . '/harmless';
        $source = __DIR__ . '/programs/harmless.c';
        Child::run(['gcc', '-std=c11', '-O1', '-o', self::$program, $source, '-pthread', '-ldl'])->cleanOutput();
    }

    public static function tearDownAfterClass(): void
    {
        Folder::remove(self::$folder);
    }

    /** @return array<string, array{string}> */
    public static function tools(): array
    {
        return [
            'libkeepalive0' => ['/usr/lib/libkeepalive.so.0'],
            'libdontdie0' => [(string) (glob('/usr/lib/*/libdontdie.so.0')[0] ?? 'missing')],
        ];
    }

    /** @param string[] $command */
    private static function with(string $tool, array $command, array $variables = []): Child
    {
        return Program::run($command, ['LD_PRELOAD' => $tool] + $variables + self::VARIABLES);
    }

    /** @dataProvider tools */
    #[DataProvider('tools')]
    public function testFourOptionsAndNoUserTimeout(string $tool): void
    {
        self::assertSame('one: ' . self::FOUR . "\n", self::with($tool, [self::$program, 'one'])->cleanOutput());
    }

    /** @dataProvider tools */
    #[DataProvider('tools')]
    public function testErrnoIsChangedByARefusal(string $tool): void
    {
        self::assertStringStartsWith("errno changed\n", self::with($tool, [self::$program, 'seccomp'])->cleanOutput());
    }

    /** @dataProvider tools */
    #[DataProvider('tools')]
    public function testAProgramMaySwitchOffWhatItHasNotChosen(string $tool): void
    {
        $said = self::with($tool, [self::$program, 'own'])->cleanOutput();
        self::assertStringContainsString("switched off: 0 with its own values, 0 with others'", $said);
    }

    /** @dataProvider tools */
    #[DataProvider('tools')]
    public function testKeepaliveIsSwitchedOnOnRawSockets(string $tool): void
    {
        $trace = self::$folder . '/trace';
        self::with($tool, ['strace', '-qq', '-e', 'trace=setsockopt', '-o', $trace, self::$program, 'others'])->cleanOutput();
        self::assertStringContainsString('SO_KEEPALIVE, [1], 4) = 0', (string) file_get_contents($trace));
    }

    /** @dataProvider tools */
    #[DataProvider('tools')]
    public function testAWrongValueLeavesTheDefaultAndSaysNothing(string $tool): void
    {
        $wrong = ['KEEPIDLE' => 'abc', 'DD_TCP_KEEPALIVE_TIME' => 'abc'];
        $fresh = Kernel::defaults()['idle'];
        self::assertSame("one: 1 $fresh 11 5 0\n", self::with($tool, [self::$program, 'one'], $wrong)->cleanOutput());
    }

    /** @dataProvider tools */
    #[DataProvider('tools')]
    public function testPhpsPgsqlIsNotReachedBeforePhp85(string $tool): void
    {
        $servers = new Servers('127.0.0.1', [], ['postgresql']);
        $port = $servers->port('postgresql');
        $script = __DIR__ . '/programs/php-client.php';
        $command = [PHP_BINARY, $script, 'pgsql', '127.0.0.1', (string) $port, ''];
        $program = new Program($command, ['LD_PRELOAD' => $tool] + self::VARIABLES);
        $program->untilItSays("answer 42\n");
        [$options] = array_values(Outside::connectionsTo($port));
        self::assertSame(PHP_VERSION_ID < 80500 ? Kernel::defaults()['idle'] : 47, $options['idle']);
    }
}
