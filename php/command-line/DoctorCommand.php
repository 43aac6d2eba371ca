<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

/**
 * keepalive doctor: prints what Doctor finds.
 *
 * @internal
 */
final class DoctorCommand implements Command
{
    /** Exit statuses, in addition to Application's. */
    private const IN_PART = 3;

    private const STATUSES = [
        Doctor::EVERYTHING => Application::OK,
        Doctor::IN_PART => self::IN_PART,
        Doctor::NOTHING => Application::FAILED,
    ];

    private const MARKS = [
        Doctor::FINE => 'ok    ',
        Doctor::NOTE => 'note  ',
        Doctor::LIMIT => 'no    ',
    ];

    private const WIDTH = 80;

    public function summary(): string
    {
        return 'what this PHP can do for keepalive, and why not';
    }

    public function help(): string
    {
        return <<<'HELP'
            Usage: keepalive doctor [--json]

            Says what this PHP can do for keepalive, and what is missing: its version and extensions, whether
            it may use FFI, where it looked for the shared library, what else sets keepalive here, and the
            system's defaults. Then it sets keepalive on a TCP and a TLS connection to itself, and reads back
            what the kernel has.

            It is about the PHP that runs it. In a web server, call Keepalive\CommandLine\Doctor::report().

              --json    everything, for machines: what Keepalive\CommandLine\Doctor::report() returns

            Exit status: 0 if everything works, 3 if keepalive works on some sockets only, 1 if on none,
            2 for a wrong command line.

            HELP;
    }

    public function run(array $arguments): int
    {
        $json = $arguments === ['--json'];
        if ($arguments !== [] && !$json) {
            throw new UsageError('doctor takes --json or nothing; "' . implode(' ', $arguments) . '" was given.');
        }
        $report = Doctor::report();
        if ($json) {
            $flags = JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE;
            echo json_encode($report, $flags | JSON_THROW_ON_ERROR) . "\n";
        } else {
            self::print($report['findings']);
        }
        return self::STATUSES[$report['verdict']];
    }

    /** @param array<int, array{about: string, level: string, text: string}> $findings */
    private static function print(array $findings): void
    {
        $about = null;
        foreach ($findings as $finding) {
            if ($finding['about'] !== $about) {
                echo $about === null ? '' : "\n", $about = $finding['about'], "\n";
            }
            $mark = '  ' . self::MARKS[$finding['level']];
            $indent = "\n" . str_repeat(' ', strlen($mark));
            $text = wordwrap($finding['text'], self::WIDTH - strlen($mark), "\n");
            echo $mark, str_replace("\n", $indent, $text), "\n";
        }
    }
}
