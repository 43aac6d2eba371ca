<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/**
 * A program that runs beside the tests, which write to it and read its output. It ends with this object at the latest.
 *
 * The one place where tests call proc_open(). Its output goes to files, so that it never waits for a reader.
 */
final class Process
{
    /** Seconds that anything may take on a busy machine. */
    public const PATIENCE = 60.0;

    public int $pid;

    /** Who started it: a fork of that does not end it. */
    private int $owner;

    /** @var resource */
    private $process;

    /** @var resource|null */
    private $input;

    private string $output;
    private string $errors;

    /** How much of the output line() has given. */
    private int $offset = 0;

    /** Exit status once ended; the negative of a signal that ended it. */
    private ?int $status = null;

    /**
     * @param string[] $command
     * @param array<string, string|null> $environment on top of this process's; null removes a variable
     */
    public function __construct(array $command, array $environment = [], ?string $folder = null)
    {
        self::inheritNothing();
        $this->owner = (int) getmypid();
        $this->output = (string) tempnam(sys_get_temp_dir(), 'keepalive-process-');
        $this->errors = (string) tempnam(sys_get_temp_dir(), 'keepalive-process-');
        $streams = [['pipe', 'r'], ['file', $this->output, 'a'], ['file', $this->errors, 'a']];
        $environment = array_filter($environment + getenv(), 'is_string');
        $process = proc_open($command, $streams, $pipes, $folder, $environment);
        if ($process === false) {
            throw new \RuntimeException('Cannot start ' . implode(' ', $command));
        }
        $this->process = $process;
        $this->input = $pipes[0];
        $this->pid = $this->look()['pid'];
    }

    public function __destruct()
    {
        if (getmypid() !== $this->owner) {
            return;
        }
        if (isset($this->process)) {
            $this->signal(SIGKILL);
            $this->closeInput();
            proc_close($this->process);
        }
        @unlink($this->output);
        @unlink($this->errors);
    }

    /** Writes this to its standard input. */
    public function type(string $text): void
    {
        fwrite($this->input, $text);
    }

    public function closeInput(): void
    {
        if ($this->input !== null) {
            fclose($this->input);
            $this->input = null;
        }
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

    /** The next line of its output, with its line end. If the program ends first, less or nothing. */
    public function line(): string
    {
        $line = '';
        $this->until('a line', function () use (&$line): bool {
            $hasEnded = !$this->isRunning();
            $rest = substr($this->output(), $this->offset);
            $end = strpos($rest, "\n");
            $line = $end === false ? $rest : substr($rest, 0, $end + 1);
            return $end !== false || $hasEnded;
        });
        $this->offset += strlen($line);
        return $line;
    }

    /**
     * Waits until it has printed something that matches.
     *
     * @return string[] the match and its groups
     */
    public function waitFor(string $pattern): array
    {
        $matches = [];
        $this->until($pattern, function () use ($pattern, &$matches): bool {
            $hasEnded = !$this->isRunning();
            if (preg_match($pattern, $this->output() . $this->errors(), $matches) === 1) {
                return true;
            }
            if ($hasEnded) {
                throw new \RuntimeException("It ended with status $this->status before $pattern. {$this->said()}");
            }
            return false;
        });
        return $matches;
    }

    public function isRunning(): bool
    {
        if ($this->status === null) {
            $this->look();
        }
        return $this->status === null;
    }

    /** Waits until it ends by itself: its exit status, or the negative number of the signal. */
    public function status(float $patience = self::PATIENCE): int
    {
        $this->until('its end', function (): bool {
            return !$this->isRunning();
        }, $patience);
        return (int) $this->status;
    }

    /** Sends a signal. Does nothing after its end, when its number may belong to another process. */
    public function signal(int $number): void
    {
        if ($this->isRunning()) {
            proc_terminate($this->process, $number);
        }
    }

    /** @param string $what words for the complaint */
    private function until(string $what, callable $holds, float $patience = self::PATIENCE): void
    {
        self::poll($holds, function () use ($what): string {
            return "Waited too long for $what. {$this->said()}";
        }, $patience);
    }

    private function said(): string
    {
        return "Output:\n{$this->output()}\nErrors:\n{$this->errors()}";
    }

    /** Waits until a condition is true, by asking again and again. */
    public static function poll(callable $holds, callable $complaint, float $patience = self::PATIENCE): void
    {
        $deadline = microtime(true) + $patience;
        while (!$holds()) {
            if (microtime(true) > $deadline) {
                throw new \RuntimeException($complaint());
            }
            usleep(5000);
        }
    }

    /** PHP leaves its sockets open in the programs that it starts: then they would be that program's sockets, too. */
    public static function inheritNothing(): void
    {
        static $libc = null;
        $libc = $libc ?? \FFI::cdef('int fcntl(int, int, ...);');
        [$setFlags, $closeOnExec] = [2, 1];
        foreach (scandir('/proc/self/fd') ?: [] as $fd) {
            if ((int) $fd > 2) {
                $libc->fcntl((int) $fd, $setFlags, $closeOnExec);
            }
        }
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
}
