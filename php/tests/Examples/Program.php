<?php

declare(strict_types=1);

namespace Keepalive\Tests\Examples;

use Keepalive\Tests\Support\Process;

/** Starts the programs that the tests of examples talk to. */
final class Program
{
    public const EXAMPLES = __DIR__ . '/../../examples/';

    /** Flags for PHP: errors go where a test sees them, whatever php.ini says. */
    public const SHOWN = ['-d', 'display_errors=stderr', '-d', 'log_errors=0', '-d', 'error_reporting=-1'];

    private function __construct()
    {
    }

    /** Any program. */
    public static function start(string ...$command): Process
    {
        return new Process($command);
    }

    /** One of php/examples; warnings are shown. */
    public static function example(string $file, string ...$arguments): Process
    {
        return self::exampleWith([], $file, ...$arguments);
    }

    /** @param string[] $flags for PHP */
    public static function exampleWith(array $flags, string $file, string ...$arguments): Process
    {
        return new Process(array_merge([PHP_BINARY], self::SHOWN, $flags, [self::EXAMPLES . $file], $arguments));
    }
}
