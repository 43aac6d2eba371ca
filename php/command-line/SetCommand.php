<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\Exception\SocketException;
use Keepalive\Internal\Address;
use Keepalive\Keepalive;
use Keepalive\Settings;

/**
 * keepalive set: changes the TCP sockets of a running process.
 *
 * @internal
 */
final class SetCommand implements Command
{
    /** Exit statuses, in addition to Application's. */
    private const NONE_MATCHED = 3;
    private const SOME_REFUSED = 4;

    /** For Arguments. */
    private const KINDS = SettingsOptions::KINDS + [
        'pid' => Process::PIDS,
        'off' => Arguments::FLAG,
        'to' => Arguments::TEXT,
        'dry-run' => Arguments::FLAG,
    ];

    /** A line says when the kernel looks at unacknowledged data next, if that is not within this many seconds. */
    private const LONG = 1.0;

    private bool $isDryRun;
    private int $matched = 0;
    private int $refused = 0;

    public function summary(): string
    {
        return 'changes the TCP sockets of a running process';
    }

    public function help(): string
    {
        return <<<'HELP'
            Usage: keepalive set --pid PID --within SECONDS [--to ADDRESS]... [--dry-run]
                   keepalive set --pid PID --idle S --interval S --count N ...
                   keepalive set --pid PID --off ...

            Sets the TCP sockets that a process has open, connections and listeners, and
            prints what each had before and has after. A program that already waits for a
            dead peer learns of it, too. Connections that the process opens later are not
            changed: start it with keepalive run for those. Connections that a listener
            accepts later have the listener's settings.


            HELP . SettingsOptions::HELP . <<<'HELP'
              --off                no keepalive and no user timeout
              --to ADDRESS         only connections to this address, and listeners at it:
                                   db.example:3306, *:3306, 10.0.0.5, 10.0.0.0/8:6379,
                                   [2001:db8::/32]:443; may be given several times
              --dry-run            changes nothing, and shows what would be done

            A socket that has these values already is not touched. Sockets that are not
            TCP, or are closed meanwhile, are left out. MPTCP has no user timeout: it gets
            the other values.
            It needs Linux 5.6, and root, or the process's user where users may debug
            their processes.

            Exit status: 0 if all sockets that match have these values now, 3 if none
            matched, 4 if the kernel refused some; 1 if it could not begin, 2 for a wrong
            command line.

            HELP;
    }

    public function run(array $arguments): int
    {
        $parsed = new Arguments('set', self::KINDS, $arguments);
        if ($parsed->words !== []) {
            throw new UsageError("set takes options only; \"{$parsed->words[0]}\" was given.");
        }
        $pid = $parsed->number('pid');
        if ($pid === null) {
            throw new UsageError('set takes --pid.');
        }
        $settings = self::settings($parsed);
        $to = ToOption::addresses($parsed);
        $this->isDryRun = $parsed->has('dry-run');
        Process::needs('set');

        $process = new Process($pid);
        echo $process->name(), "\n";
        $sockets = $process->tcpSockets();
        foreach ($sockets as $inode => $entry) {
            $lines = $process->borrow($entry['fd'], $inode, function (int $fd) use ($entry, $settings, $to): array {
                return $this->change($fd, $entry, $settings, $to);
            });
            foreach ($lines ?? [] as $line) {
                echo $line, "\n";
            }
        }
        if ($this->matched === 0) {
            $all = count($sockets);
            fwrite(STDERR, $all === 0
                ? "keepalive: the process has no TCP sockets open.\n"
                : "keepalive: none of the process's TCP sockets matches --to; it has $all.\n");
            return self::NONE_MATCHED;
        }
        return $this->refused > 0 ? self::SOME_REFUSED : Application::OK;
    }

    /** @throws UsageError */
    private static function settings(Arguments $parsed): Settings
    {
        if (!$parsed->has('off')) {
            return SettingsOptions::settings('set', $parsed);
        }
        if ($parsed->given(array_keys(SettingsOptions::KINDS)) !== []) {
            throw new UsageError('set takes --off without other values.');
        }
        return new Settings(false, Keepalive::UNCHANGED, Keepalive::UNCHANGED, Keepalive::UNCHANGED, 0);
    }

    /**
     * @param array{fd: int, local: string, remote: string, timer: string, timerAt: float, probes: int} $entry
     * @param Address[] $to
     * @return string[] what was done, in lines
     */
    private function change(int $fd, array $entry, Settings $settings, array $to): array
    {
        $state = Keepalive::status($fd)->state();
        if ($state === 'CLOSE' || !self::isMeant($state === 'LISTEN' ? $entry['local'] : $entry['remote'], $to)) {
            return [];
        }
        $this->matched++;
        $ends = $state === 'LISTEN' ? $entry['local'] : "$entry[remote] from $entry[local]";
        $lines = ["fd $entry[fd], $ends, $state"];
        $before = Keepalive::settings($fd);
        if ($before->userTimeoutMs() === null) {
            if ((int) $settings->userTimeoutMs() > 0) {
                $lines[] = '  An MPTCP socket has no user timeout: with unacknowledged data it waits about 15 min.';
            }
            $settings = self::withoutUserTimeout($settings);
        }
        $wanted = self::over($before, $settings);
        // Not set again: while probes are unanswered, the kernel would send another one at once, and count it.
        if ($wanted == $before) {
            $lines[] = '  already  ' . SettingsText::long($before);
            return $lines;
        }
        $lines[] = '  before   ' . SettingsText::long($before);
        if ($this->isDryRun) {
            $lines[] = '  would be ' . SettingsText::long($wanted);
            return $lines;
        }
        return array_merge($lines, $this->apply($fd, $settings, $wanted, $entry));
    }

    /**
     * @param array{timer: string, timerAt: float, ...} $entry
     * @return string[]
     */
    private function apply(int $fd, Settings $settings, Settings $wanted, array $entry): array
    {
        try {
            Keepalive::apply($fd, $settings);
        } catch (SocketException $exception) {
            $this->refused++;
            return ["  refused  {$exception->getMessage()}"];
        }
        $after = Keepalive::settings($fd);
        $lines = ['  after    ' . SettingsText::long($after)];
        if ($after != $wanted) { // the preload object in this command's own LD_PRELOAD keeps keepalive on, for instance
            $this->refused++;
            $lines[] = '  The kernel reports other values than were set: a library in LD_PRELOAD or a security policy '
                . 'interferes.';
        }
        $disagreement = SettingsText::disagreement($after);
        if ($disagreement !== null) {
            $lines[] = "  $disagreement";
        }
        $timerIn = $entry['timerAt'] - hrtime(true) / 1e9;
        if (in_array($entry['timer'], ['retransmission', 'window probe'], true) && $timerIn >= self::LONG) {
            $lines[] = '  Unacknowledged data: the kernel next looks at it, and at these values, in '
                . Duration::text($timerIn) . '.';
        }
        return $lines;
    }

    /** @param Address[] $to */
    private static function isMeant(string $address, array $to): bool
    {
        foreach ($to as $one) {
            if ($one->matches($address)) {
                return true;
            }
        }
        return $to === [];
    }

    /** The settings of a socket that had $before, after $settings are applied. */
    private static function over(Settings $before, Settings $settings): Settings
    {
        $values = $settings->enabled() ? $settings : $before; // off keeps the three
        return new Settings(
            $settings->enabled(),
            $values->idle(),
            $values->interval(),
            $values->count(),
            $settings->userTimeoutMs() ?? $before->userTimeoutMs()
        );
    }

    private static function withoutUserTimeout(Settings $settings): Settings
    {
        return new Settings(
            $settings->enabled(),
            $settings->idle(),
            $settings->interval(),
            $settings->count(),
            null
        );
    }
}
