<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

use Keepalive\CommandLine\Watch\Sample;
use Keepalive\Exception\SocketException;

/**
 * keepalive list: the TCP sockets of running processes, once.
 *
 * @internal
 */
final class ListCommand implements Command
{
    private const KINDS = ['pid' => Process::PIDS, 'json' => Arguments::FLAG];

    /** As wide as any IPv4 address with its port. */
    private const ADDRESS_WIDTH = 21;

    public function summary(): string
    {
        return 'the TCP sockets of running processes, and their settings';
    }

    public function help(): string
    {
        return <<<'HELP'
            Usage: keepalive list [--pid PID] [--json]

            Shows the TCP sockets of a process, or of every process that this user may look
            at, with their settings: 60/10/6+120 are idle, interval, count and user timeout;
            off means no keepalive. A socket that several processes share is shown once,
            with the first of them. It changes nothing.

              --pid PID   this process only
              --json      an object for each socket, one a line, for programs;
                          docs/running-processes.md explains the keys

            It needs Linux 5.6, and root, or the processes' user where users may debug
            their processes.

            Exit status: 0, also if there are no sockets; 1 if it failed, 2 for a wrong
            command line.

            HELP;
    }

    public function run(array $arguments): int
    {
        $parsed = new Arguments('list', self::KINDS, $arguments);
        if ($parsed->words !== []) {
            throw new UsageError("list takes options only; \"{$parsed->words[0]}\" was given.");
        }
        Process::needs('list');
        $one = $parsed->number('pid');
        /** @var array<int, array{string, Sample[]}> $found by pid: the command, and its sockets by inode */
        $found = [];
        $forbidden = [];
        $tables = [];
        foreach ($one === null ? Process::all() : [$one] as $pid) {
            try {
                $process = new Process($pid);
                $network = $process->network();
                $tables[$network] = $tables[$network] ?? ConnectionTable::of((string) $pid); // it is slow
                // Not the process itself, which holds a descriptor: there may be thousands.
                $found[$pid] = [$process->command(), self::samples($process, $tables[$network])];
            } catch (SocketException $refused) {
                if ($one !== null || !in_array($refused->getCode(), [Libc::EPERM, Libc::ESRCH], true)) {
                    throw $refused;
                }
                if ($refused->getCode() === Libc::EPERM) { // the others have ended in the meantime
                    $forbidden[] = $pid;
                }
            }
        }
        $parsed->has('json') ? self::printJson($found) : self::print($found, $one !== null);
        if ($forbidden !== []) {
            fwrite(STDERR, sprintf(
                "keepalive: this user may not look at %d of the processes. Try as root; keepalive list --pid %d says why.\n",
                count($forbidden),
                $forbidden[0]
            ));
        }
        return Application::OK;
    }

    /**
     * @param array<int, array{local: string, remote: string, timer: string, timerAt: float, probes: int}> $table of its network
     * @return Sample[] by inode
     */
    private static function samples(Process $process, array $table): array
    {
        $samples = [];
        foreach ($process->tcpSockets($table) as $inode => $entry) {
            $samples[$inode] = $process->borrow($entry['fd'], $inode, static function (int $fd) use ($entry): ?Sample {
                return Sample::take($fd, $entry['fd'], $entry, null);
            });
        }
        return array_filter($samples);
    }

    /** @param array<int, array{string, Sample[]}> $found as above */
    private static function print(array $found, bool $emptyToo): void
    {
        $shown = [];
        $isFirst = true;
        foreach ($found as $pid => [$command, $samples]) {
            $samples = array_diff_key($samples, $shown);
            $shown += $samples;
            if ($samples === [] && !$emptyToo) {
                continue;
            }
            echo $isFirst ? '' : "\n", Process::title($pid, $command), "\n";
            $isFirst = false;
            if ($samples === []) {
                echo "   no TCP sockets\n";
                continue;
            }
            $rows = [['fd', 'local', 'remote', 'state', 'keepalive']];
            foreach ($samples as $sample) {
                $state = $sample->status->state();
                $remote = $state === 'LISTEN' ? '-' : $sample->remote;
                $rows[] = [$sample->fd, $sample->local, $remote, $state, SettingsText::short($sample->settings)];
            }
            $local = max(self::ADDRESS_WIDTH, ...array_map('strlen', array_column($rows, 1)));
            $remote = max(self::ADDRESS_WIDTH, ...array_map('strlen', array_column($rows, 2)));
            foreach ($rows as $row) {
                vprintf("%5s %-{$local}s %-{$remote}s %-11s %s\n", $row);
            }
        }
        if ($shown !== []) {
            echo "\n", SettingsText::LEGEND, "\n";
        }
    }

    /** @param array<int, array{string, Sample[]}> $found as above */
    private static function printJson(array $found): void
    {
        $owners = [];
        foreach ($found as $pid => [, $samples]) {
            foreach (array_keys($samples) as $inode) {
                $owners[$inode][] = $pid;
            }
        }
        foreach ($found as $pid => [$command, $samples]) {
            foreach ($samples as $inode => $sample) {
                if ($owners[$inode][0] === $pid) {
                    $whose = [
                        'pid' => $pid,
                        'command' => $command,
                        'shared_with' => array_slice($owners[$inode], 1),
                    ];
                    echo Json::line($whose + $sample->facts()), "\n";
                }
            }
        }
    }
}
