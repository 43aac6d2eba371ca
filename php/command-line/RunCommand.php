<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\CommandLine\Run\PreloadObject;
use Keepalive\CommandLine\Run\Program;
use Keepalive\Exception\KeepaliveException;
use Keepalive\Exception\UnavailableException;
use Keepalive\Settings;

/**
 * keepalive run: starts a program with libkeepalive-preload.so, and becomes it.
 *
 * @internal
 */
final class RunCommand implements Command
{
    /** The same as in env(1) and timeout(1), because the other statuses belong to the command. */
    private const FAILED = 125;
    private const NOT_EXECUTABLE = 126;
    private const NOT_FOUND = 127;

    /** @var array<string, int|string> for Arguments */
    private const KINDS = SettingsOptions::KINDS + ['to' => Arguments::TEXT, 'log' => Arguments::TEXT];

    /** Of libkeepalive-preload.so. */
    private const MAX_RULES = 64;

    public function summary(): string
    {
        return 'starts a program whose TCP sockets all have keepalive';
    }

    public function help(): string
    {
        return <<<'HELP'
            Usage: keepalive run --within SECONDS [--to ADDRESS]... -- COMMAND [ARGUMENT]...
                   keepalive run --idle S --interval S --count N [--user-timeout MS] ...

            Runs a program, in any language. Its TCP sockets get these settings when they
            are opened, also those of reconnects, of pools, and of programs that it starts.
            keepalive run sets the variables of libkeepalive-preload.so, and becomes the
            program. What the program sets itself wins. docs/preload.md has the variables.


            HELP . SettingsOptions::HELP . <<<'HELP'
              --to ADDRESS         only connections to this address, and listeners at it:
                                   db.example:3306, *:3306, 10.0.0.5, 10.0.0.0/8:6379,
                                   [2001:db8::/32]:443; may be given several times. Host
                                   names are looked up once, now
              --log FILE           a line for each socket that is set or refused; stderr is
                                   standard error

            It refuses programs that it cannot reach: static ones, Go, setuid programs,
            those for another processor or C library. For a script it examines the
            interpreter. It does not examine what the program starts later.

            Exit status: the command's; 125 if it was refused, 126 if it cannot be executed,
            127 if there is no such command, 2 for a wrong command line.

            HELP;
    }

    public function run(array $arguments): int
    {
        $own = Arguments::own($arguments);
        $parsed = new Arguments('run', self::KINDS, $own);
        $command = array_slice($arguments, count($own) + 1);
        if ($parsed->words !== [] || $command === []) {
            throw new UsageError('run takes options, then -- and a command.');
        }
        $settings = SettingsOptions::settings('run', $parsed);
        try {
            $variables = ['LIBKEEPALIVE' => self::settingsVariable($parsed, $settings)]
                + self::addressesVariable(ToOption::addresses($parsed))
                + self::logVariable($parsed->text('log'));
            return self::become($command, $variables);
        } catch (KeepaliveException $exception) {
            fwrite(STDERR, "keepalive: {$exception->getMessage()}\n");
            return self::FAILED;
        }
    }

    /**
     * @param string[] $command
     * @param array<string, string> $variables
     *
     * @throws KeepaliveException
     */
    private static function become(array $command, array $variables): int
    {
        if (PHP_OS_FAMILY !== 'Linux') {
            throw new UnavailableException('keepalive run works on Linux only.');
        }
        $file = Program::find($command[0]);
        if ($file === null) {
            fwrite(STDERR, "keepalive: there is no command \"$command[0]\".\n");
            return self::NOT_FOUND;
        }
        if (!is_executable($file)) {
            fwrite(STDERR, "keepalive: $file is not executable.\n");
            return self::NOT_EXECUTABLE;
        }
        $object = PreloadObject::find();
        $why = Program::whyNot($file, array_slice($command, 1), $object);
        if ($why !== null) {
            throw new UnavailableException("$why To set its connections from outside: keepalive set --pid.");
        }
        $others = (string) getenv('LD_PRELOAD');
        $variables['LD_PRELOAD'] = $others === '' ? $object : "$object:$others";
        foreach (PreloadObject::VARIABLES as $name) {
            putenv($name); // an old value would belong to other settings
        }
        foreach ($variables as $name => $value) {
            putenv("$name=$value");
        }
        $errno = Libc::execute($file, $command);
        fwrite(STDERR, "keepalive: $file cannot be executed: " . Libc::describe($errno) . ".\n");
        return self::NOT_EXECUTABLE;
    }

    private static function settingsVariable(Arguments $parsed, Settings $settings): string
    {
        $within = $parsed->number('within');
        if ($within !== null) {
            return "within=$within";
        }
        $userTimeoutMs = $settings->userTimeoutMs();
        return "{$settings->idle()},{$settings->interval()},{$settings->count()}"
            . ($userTimeoutMs === null ? '' : ",$userTimeoutMs");
    }

    /**
     * @param \Keepalive\Internal\Address[] $addresses
     * @return array<string, string>
     */
    private static function addressesVariable(array $addresses): array
    {
        $rules = [];
        foreach ($addresses as $address) {
            array_push($rules, ...$address->rules());
        }
        $rules = array_unique($rules);
        if (count($rules) > self::MAX_RULES) {
            throw new UnavailableException(sprintf(
                '--to stands for %d addresses, and libkeepalive-preload.so takes %d: give networks, or "*" and a port.',
                count($rules),
                self::MAX_RULES
            ));
        }
        return $rules === [] ? [] : ['LIBKEEPALIVE_TO' => implode(',', $rules)];
    }

    /** @return array<string, string> */
    private static function logVariable(?string $log): array
    {
        if ($log === null) {
            return [];
        }
        $isPath = $log !== 'stderr' && $log[0] !== '/';
        return ['LIBKEEPALIVE_LOG' => $isPath ? (string) getcwd() . "/$log" : $log];
    }
}
