<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Exception\KeepaliveException;
use Keepalive\Keepalive;

/**
 * The command line of php/bin/keepalive: chooses the command, and turns exceptions into statuses.
 *
 * @internal
 */
final class Application
{
    /** Exit statuses that mean the same for every command. */
    public const OK = 0;
    public const FAILED = 1;
    public const USAGE = 2;

    /** @var array<string, class-string<Command>> */
    private const COMMANDS = [
        'doctor' => DoctorCommand::class,
        'list' => ListCommand::class,
        'run' => RunCommand::class,
        'set' => SetCommand::class,
        'watch' => WatchCommand::class,
    ];

    private const HELP = ['help', '--help', '-h'];

    /** @param string[] $arguments without the program's name */
    public static function main(array $arguments): int
    {
        $name = array_shift($arguments) ?? 'help';
        if ($name === '--version' || $name === '-V') {
            echo 'keepalive ' . Keepalive::VERSION . "\n";
            return self::OK;
        }
        try {
            if (in_array($name, self::HELP, true)) {
                echo self::help($arguments[0] ?? 'help');
                return self::OK;
            }
            $command = self::command($name);
            if (array_intersect(['--help', '-h'], Arguments::own($arguments)) !== []) {
                echo $command->help();
                return self::OK;
            }
            return $command->run($arguments);
        } catch (UsageError $error) {
            $more = isset(self::COMMANDS[$name]) ? "help $name" : 'help';
            fwrite(STDERR, "keepalive: {$error->getMessage()}\nTry: keepalive $more\n");
            return self::USAGE;
        } catch (KeepaliveException $exception) {
            fwrite(STDERR, "keepalive: {$exception->getMessage()}\n");
            return self::FAILED;
        }
    }

    private static function command(string $name): Command
    {
        if (!isset(self::COMMANDS[$name])) {
            throw new UsageError("there is no command \"$name\".");
        }
        $class = self::COMMANDS[$name];
        return new $class();
    }

    private static function help(string $name): string
    {
        if (!in_array($name, self::HELP, true)) {
            return self::command($name)->help();
        }
        $help = "TCP keepalive for PHP.\n\nUsage: keepalive COMMAND [ARGUMENT...]\n\nCommands:\n";
        foreach (array_keys(self::COMMANDS) as $name) {
            $help .= sprintf("  %-10s%s\n", $name, self::command($name)->summary());
        }
        return $help . "  help      this list; help COMMAND tells more\n\n"
            . "Options:\n  --version\n\n"
            . "Exit status: 0 is success, 1 is failure, 2 is a wrong command line; a command may have others.\n";
    }
}
