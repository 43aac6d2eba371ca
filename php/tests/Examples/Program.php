<?php

declare(strict_types=1);

namespace Keepalive\Tests\Examples;

/** A program that runs beside the tests, is talked to, and watched. */
final class Program
{
    public const EXAMPLES = __DIR__ . '/../../examples/';

    /** Seconds that anything may take on a busy machine. */
    private const PATIENCE = 60.0;

    /** @var self[] */
    private static array $running = [];

    /** @var resource */
    private $process;

    /** @var resource */
    private $input;

    /** Files, so that the program never waits for the tests to read. */
    private string $output;
    private string $errors;

    private int $pid;

    /** Exit status once ended; the negative of a signal that ended it. */
    private ?int $status = null;

    /** @param string[] $command */
    private function __construct(array $command)
    {
        $this->output = (string) tempnam(sys_get_temp_dir(), 'keepalive-example-');
        $this->errors = (string) tempnam(sys_get_temp_dir(), 'keepalive-example-');
        $streams = [['pipe', 'r'], ['file', $this->output, 'a'], ['file', $this->errors, 'a']];
        $process = proc_open($command, $streams, $pipes);
        if ($process === false) {
            throw new \RuntimeException('Cannot start ' . implode(' ', $command));
        }
        $this->process = $process;
        $this->input = $pipes[0];
        $this->pid = $this->look()['pid'];
        self::$running[] = $this;
    }

    /** Starts any program. */
    public static function start(string ...$command): self
    {
        return new self($command);
    }

    /** Starts one of php/examples, warnings shown. */
    public static function example(string $file, string ...$arguments): self
    {
        return self::exampleWith([], $file, ...$arguments);
    }

    /** @param string[] $flags for PHP */
    public static function exampleWith(array $flags, string $file, string ...$arguments): self
    {
        return new self(array_merge(self::php($flags), [self::EXAMPLES . $file], $arguments));
    }

    /** Starts an example in which OpenSSL trusts this authority. */
    public static function trusting(string $authority, string $file, string ...$arguments): self
    {
        return new self(array_merge(['env', "SSL_CERT_FILE=$authority"], self::php([]), [self::EXAMPLES . $file], $arguments));
    }

    /**
     * @param string[] $flags
     * @return string[]
     */
    private static function php(array $flags): array
    {
        $shown = ['-d', 'display_errors=stderr', '-d', 'log_errors=0', '-d', 'error_reporting=-1'];
        return array_merge([PHP_BINARY], $shown, $flags);
    }

    /** Ends all that still run. */
    public static function stopAll(): void
    {
        foreach (self::$running as $program) {
            if ($program->status === null) {
                proc_terminate($program->process, SIGKILL);
                proc_close($program->process);
            }
            unlink($program->output);
            unlink($program->errors);
        }
        self::$running = [];
    }

    /** Types this. */
    public function type(string $text): void
    {
        fwrite($this->input, $text);
    }

    /** What it has printed so far. */
    public function output(): string
    {
        return (string) file_get_contents($this->output);
    }

    public function errors(): string
    {
        return (string) file_get_contents($this->errors);
    }

    /**
     * Waits until it has printed something that matches.
     *
     * @return string[] the match and its groups
     */
    public function waitFor(string $pattern): array
    {
        $matches = [];
        self::until(function () use ($pattern, &$matches): bool {
            return preg_match($pattern, $this->output() . $this->errors(), $matches) === 1;
        }, function () use ($pattern): string {
            return "Waited in vain for $pattern. Output:\n{$this->output()}\nErrors:\n{$this->errors()}";
        });
        return $matches;
    }

    /** Waits until it ends by itself: its exit status, or the negative number of the signal. */
    public function status(): int
    {
        self::until(function (): bool {
            if ($this->status === null) {
                $this->look();
            }
            return $this->status !== null;
        }, function (): string {
            return "It does not end. Output:\n{$this->output()}\nErrors:\n{$this->errors()}";
        });
        return $this->status;
    }

    /**
     * Before PHP 8.3 the first call that finds it ended is the only one to get its exit status.
     *
     * @return array<string, mixed>
     */
    private function look(): array
    {
        $now = proc_get_status($this->process);
        if (!$now['running']) {
            $this->status = $now['signaled'] ? -$now['termsig'] : $now['exitcode'];
        }
        return $now;
    }

    /** Ctrl-C. */
    public function interrupt(): void
    {
        proc_terminate($this->process, SIGINT);
    }

    /** Processor seconds used so far, in the kernel's grain of 10 ms. */
    public function cpuSeconds(): float
    {
        $stat = (string) file_get_contents("/proc/$this->pid/stat");
        // After the name, which may hold anything, in parentheses: field 3 on; utime is 14, stime 15.
        $fields = explode(' ', substr($stat, strrpos($stat, ')') + 2));
        return ($fields[11] + $fields[12]) / 100;
    }

    /** Polls until it holds. */
    public static function until(callable $holds, callable $complaint): void
    {
        $deadline = microtime(true) + self::PATIENCE;
        while (!$holds()) {
            if (microtime(true) > $deadline) {
                throw new \RuntimeException($complaint());
            }
            usleep(20000);
        }
    }
}
