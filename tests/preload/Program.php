<?php

declare(strict_types=1);

namespace Preload;

use Keepalive\Tests\Support\Child;

/** A program that runs with the object in LD_PRELOAD, and talks through its standard input. */
final class Program
{
    public const OBJECT = __DIR__ . '/../../target/release/libkeepalive-preload.so';

    private const PATIENCE_SECONDS = 20;

    /** @var resource */
    private $process;
    /** @var resource */
    private $input;
    private string $output;

    /**
     * @param string[] $command
     * @param array<string, string> $environment LIBKEEPALIVE and so on
     */
    public function __construct(array $command, array $environment)
    {
        $this->output = (string) tempnam(sys_get_temp_dir(), 'keepalive-preload-');
        Child::inheritNothing();
        // setpriv has it end with this process; env keeps LD_PRELOAD from setpriv and setsid.
        $process = proc_open(
            array_merge(['setsid', 'setpriv', '--pdeathsig=KILL', 'env'], self::environment($environment), $command),
            [['pipe', 'r'], ['file', $this->output, 'a'], ['file', $this->output, 'a']],
            $pipes
        );
        if ($process === false) {
            throw new \RuntimeException('Cannot start ' . implode(' ', $command));
        }
        $this->process = $process;
        $this->input = $pipes[0];
    }

    public function __destruct()
    {
        ['pid' => $pid, 'running' => $isRunning] = proc_get_status($this->process);
        if ($isRunning) {
            posix_kill(-$pid, SIGKILL); // its session is its process group
        }
        unlink($this->output);
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
        fwrite($this->input, "$line\n");
    }

    public function pid(): int
    {
        return proc_get_status($this->process)['pid'];
    }

    public function isRunning(): bool
    {
        return proc_get_status($this->process)['running'];
    }

    public function output(): string
    {
        return (string) file_get_contents($this->output);
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
        $deadline = microtime(true) + self::PATIENCE_SECONDS;
        while (!($result = $condition())) {
            if (microtime(true) > $deadline || !$this->isRunning()) {
                $why = $this->isRunning() ? '' : ', which has ended';
                throw new \RuntimeException("Waited in vain for $what$why. It said:\n{$this->output()}");
            }
            usleep(20000);
        }
        return $result;
    }
}
