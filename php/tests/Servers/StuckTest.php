<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Process;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

/** Programs that hang because a host is lost: `keepalive set` from outside, afterwards, ends that. */
final class StuckTest extends TestCase
{
    /** Of Support/stuck.php; it fails if one of the programs does not hang. */
    private const WITHIN_SECONDS = 6;

    /** @var array<string, mixed> */
    private static array $results = [];

    public static function setUpBeforeClass(): void
    {
        $hosts = dirname(__DIR__, 3) . '/lab/hosts';
        $output = Child::run([$hosts, 'run', PHP_BINARY, __DIR__ . '/Support/stuck.php'])->cleanOutput();
        self::$results = json_decode($output, true, 8, JSON_THROW_ON_ERROR);
    }

    /** @return array<int, array{string, string}> */
    public static function programs(): array
    {
        return [
            ['PHP', 'SQLSTATE[HY000]: General error: 2006 MySQL server has gone away'],
            ['Python', '[Errno 110] Connection timed out'],
            ['C', 'Connection timed out'],
        ];
    }

    /** @dataProvider programs */
    #[DataProvider('programs')]
    public function testItIsTold(string $program, string $told): void
    {
        $result = self::$results[$program];
        self::assertSame([0, $told], [$result['status'], $result['told']]);
        self::assertLessThan(self::WITHIN_SECONDS, $result['seconds']);
        self::assertStringContainsString("\n  after    idle 2 s, interval 1 s, count 1, user timeout 1.", $result['said']);
    }

    /** What was sent before the call is repeated later and later: the kernel looks at it then. */
    public function testDataInFlightIsLookedAtWhenTheKernelSaid(): void
    {
        $result = self::$results['PHP, data in flight'];
        $says = '/^  Unacknowledged data: the kernel next looks at it, and at these values, in (\d\.\d) s\.$/m';
        self::assertSame(1, preg_match($says, $result['said'], $forecast), $result['said']);
        self::assertEqualsWithDelta((float) $forecast[1], $result['seconds'], 1);
        self::assertStringStartsWith('SQLSTATE[HY000]', $result['told']);
    }

    public function testWithoutItHangs(): void
    {
        self::assertNull(self::$results['PHP, not set']['told']);
    }

    /** Its number is what htop and top -H show. */
    public function testTheNumberOfAThread(): void
    {
        $process = new Process(['python3', __DIR__ . '/Support/thread.py']);
        $thread = trim($process->line());
        $set = Child::run([PHP_BINARY, dirname(__DIR__, 2) . '/bin/keepalive', 'set', '--within', '30', '--pid', $thread]);
        $process->signal(SIGTERM);
        self::assertSame(
            [1, '', "keepalive: $thread is a thread of process $process->pid: give --pid $process->pid.\n"],
            [$set->status, $set->output, $set->errors]
        );
    }

    public function testTheDocumentationShowsTheSame(): void
    {
        $name = 'docs/running-processes.md';
        $document = (string) file_get_contents(dirname(__DIR__, 3) . "/$name");
        $lasting = static function (string $text): string {
            return (string) preg_replace('/\d+/', 'N', $text);
        };
        self::assertStringContainsString(
            $lasting('```console' . "\n" . self::$results['transcript'] . '```'),
            $lasting($document),
            "$name: lab/hosts run php php/tests/Servers/Support/stuck.php transcript"
        );
    }
}
