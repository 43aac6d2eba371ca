<?php

declare(strict_types=1);

namespace Keepalive\Tests\Servers\Support;

/** A PHP program under strace: what it says, and what became of its connections. */
final class TracedProgram
{
    private const PATIENCE_SECONDS = 20;

    /** @var resource */
    private $process;
    private string $trace;
    private string $output;

    /**
     * @param string[] $command a script and its arguments
     * @param array<string, string> $environment
     */
    public function __construct(array $command, array $environment, string $folder)
    {
        $this->trace = "$folder/trace";
        $this->output = "$folder/output";
        $calls = 'trace=connect,setsockopt';
        $process = proc_open(
            array_merge(['strace', '-f', '-qq', '-e', $calls, '-o', $this->trace, PHP_BINARY], $command),
            [['file', '/dev/null', 'r'], ['file', $this->output, 'w'], ['file', $this->output, 'a']],
            $pipes,
            null,
            $environment + getenv()
        );
        if ($process === false) {
            throw new \RuntimeException('Cannot start strace; machine/setup.sh test installs it.');
        }
        $this->process = $process;
    }

    public function __destruct()
    {
        ['pid' => $pid, 'running' => $isRunning] = proc_get_status($this->process);
        if ($isRunning) { // otherwise the number may be another process's by now
            $children = (string) @file_get_contents("/proc/$pid/task/$pid/children");
            foreach (array_merge(preg_split('/\s+/', $children, -1, PREG_SPLIT_NO_EMPTY) ?: [], [$pid]) as $one) {
                posix_kill((int) $one, SIGKILL);
            }
        }
        proc_close($this->process);
    }

    public function output(): string
    {
        return (string) file_get_contents($this->output);
    }

    /** Waits for the program to end, and returns all that it said. */
    public function end(): string
    {
        $this->until('the program to end', function (): bool {
            return !proc_get_status($this->process)['running'];
        });
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
        $deadline = microtime(true) + self::PATIENCE_SECONDS;
        while (!$done()) {
            if (microtime(true) > $deadline) {
                throw new \RuntimeException("Waited in vain for $what. It said:\n{$this->output()}");
            }
            usleep(20000);
        }
    }
}
