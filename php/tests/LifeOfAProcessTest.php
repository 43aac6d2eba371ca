<?php

declare(strict_types=1);

namespace Keepalive\Tests;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\KeepaliveTestCase;
use PHPUnit\Framework\Attributes\DataProvider;

/** From the first call to the last: destructors, shutdown functions, forks, memory. */
final class LifeOfAProcessTest extends KeepaliveTestCase
{
    private const ON = '{"on":1,"idle":42,"interval":7,"count":3,"userTimeoutMs":0}';

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItWorksInDestructorsAndShutdownFunctions(string $backend): void
    {
        $said = self::inChild($backend, 'life-destructors');
        $on = self::ON . "$backend ";
        self::assertSame("destructor: {$on}shutdown: {$on}destructor: $on", $said);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItWorksForTheFirstTimeInADestructorAtTheEnd(string $backend): void
    {
        $said = self::inChild($backend, 'life-first-in-destructor');
        self::assertSame(self::ON . "$backend ", $said);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItWorksAfterAFatalError(string $backend): void
    {
        $child = Child::program('life-fatal-error', $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0']);
        self::assertSame(self::ON . "$backend ", $child->output);
        self::assertStringContainsString('Uncaught Exception: the end', $child->errors);
        self::assertSame(255, $child->status);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testItWorksInBothHalvesOfAFork(string $backend): void
    {
        $said = self::inChild($backend, 'life-fork');
        $on = self::ON . "$backend ";
        self::assertSame("child: {$on}parent: $on", $said);
    }

    /** @dataProvider backends */
    #[DataProvider('backends')]
    public function testMemoryDoesNotGrow(string $backend): void
    {
        $said = self::inChild($backend, 'life-memory');
        self::assertSame('0', $said);
    }

    private static function inChild(string $backend, string $program): string
    {
        return Child::program($program, $backend === 'ffi' ? [] : ['-d', 'ffi.enable=0'])->cleanOutput();
    }
}
