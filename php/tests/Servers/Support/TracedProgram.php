<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers\Support;

use Keepalive\Tests\Support\Process;

/** A PHP program under strace: its output, and the options of its connections. */
final class TracedProgram
{
    private Process $process;
    private string $trace;

    /**
     * @param string[] $command a script and its arguments
     * @param array<string, string> $environment
     */
    public function __construct(array $command, array $environment, string $folder)
    {
        $this->trace = "$folder/trace";
        $this->process = new Process(
            array_merge(
                ['sh', '-c', 'exec "$@" 2>&1', 'sh'],
                ['strace', '-f', '-qq', '-e', 'trace=connect,setsockopt', '-o', $this->trace, PHP_BINARY],
                $command
            ),
            $environment
        );
        $this->process->closeInput();
    }

    public function __destruct()
    {
        if ($this->process->isRunning()) {
            $pid = $this->process->pid;
            $children = (string) @file_get_contents("/proc/$pid/task/$pid/children");
            foreach (preg_split('/\s+/', $children, -1, PREG_SPLIT_NO_EMPTY) ?: [] as $child) {
                posix_kill((int) $child, SIGKILL);
            }
        }
    }

    public function output(): string
    {
        return $this->process->output();
    }

    /** Waits for the program to end, and returns all that it said. */
    public function end(): string
    {
        $this->process->status();
        return $this->output();
    }

    public function untilItSays(string $text): void
    {
        $this->until("the program to say \"$text\"", function () use ($text): bool {
            return strpos($this->output(), $text) !== false;
        });
    }

    /**
     * What was set on each connection to this port, in order: option => value.
     *
     * @return array<array<string, int>>
     */
    public function optionsOfConnections(int $port): array
    {
        $connections = [];
        $current = [];
        foreach (file($this->trace) ?: [] as $line) {
            if (preg_match('/connect\((\d+), .*?port=htons\((\d+)\)/', $line, $call)) {
                $current[$call[1]] = null;
                if ((int) $call[2] === $port) {
                    $connections[] = [];
                    $current[$call[1]] = count($connections) - 1;
                }
            } elseif (preg_match('/setsockopt\((\d+), \w+, (\w+), \[(\d+)\], 4\) = 0/', $line, $call)) {
                if (isset($current[$call[1]])) {
                    $connections[$current[$call[1]]][$call[2]] = (int) $call[3];
                }
            }
        }
        return $connections;
    }

    public function until(string $what, callable $done): void
    {
        Process::poll($done, function () use ($what): string {
            return "Waited too long for $what. It said:\n{$this->output()}";
        });
    }
}
