<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Support\Child;
use Keepalive\Tests\Support\Process;

/** A program that runs with the object in LD_PRELOAD, and talks through its standard input. */
final class Program
{
    public const OBJECT = __DIR__ . '/../../target/release/libkeepalive-preload.so';

    private Process $process;

    /**
     * @param string[] $command
     * @param array<string, string> $environment LIBKEEPALIVE and so on
     */
    public function __construct(array $command, array $environment)
    {
        // setpriv has it end with this process; env keeps LD_PRELOAD from setpriv and setsid.
        $this->process = new Process(array_merge(
            ['sh', '-c', 'exec "$@" 2>&1', 'sh', 'setsid', 'setpriv', '--pdeathsig=KILL', 'env'],
            self::environment($environment),
            $command
        ));
    }

    public function __destruct()
    {
        if ($this->process->isRunning()) {
            posix_kill(-$this->process->pid, SIGKILL); // its session is its process group
        }
    }

    /**
     * For env(1).
     *
     * @param array<string, string> $variables LD_PRELOAD too, where it is another one
     * @return string[]
     */
    public static function environment(array $variables): array
    {
        $words = [];
        foreach ($variables + ['LD_PRELOAD' => (string) realpath(self::OBJECT)] as $name => $value) {
            $words[] = "$name=$value";
        }
        return $words;
    }

    /**
     * Runs a command to its end.
     *
     * @param string[] $command
     * @param array<string, string> $environment as above
     */
    public static function run(array $command, array $environment): Child
    {
        return Child::run(array_merge(['env'], self::environment($environment), $command));
    }

    public function say(string $line): void
    {
        $this->process->type("$line\n");
    }

    public function pid(): int
    {
        return $this->process->pid;
    }

    public function isRunning(): bool
    {
        return $this->process->isRunning();
    }

    public function output(): string
    {
        return $this->process->output();
    }

    public function untilItSays(string $text): void
    {
        $this->until("the program to say \"$text\"", fn (): bool => strpos($this->output(), $text) !== false);
    }

    /**
     * Waits until a condition gives something, and returns that.
     *
     * @template T
     * @param callable(): T $condition
     * @return T
     */
    public function until(string $what, callable $condition)
    {
        $deadline = microtime(true) + Process::PATIENCE;
        while (!($result = $condition())) {
            if (microtime(true) > $deadline || !$this->isRunning()) {
                $why = $this->isRunning() ? '' : ', which has ended';
                throw new \RuntimeException("Waited too long for $what$why. It said:\n{$this->output()}");
            }
            usleep(20000);
        }
        return $result;
    }
}
