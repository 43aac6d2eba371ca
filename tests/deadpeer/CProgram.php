<?php

declare(strict_types=1);

namespace DeadPeer;

/** The program in C, near.c, which `run` has compiled. */
final class CProgram implements Program
{
    /** @var string[] */
    private array $command;

    /** @var resource */
    private $process;

    /** @var array<int, resource> */
    private array $pipes = [];

    /** @var string[] errno and poll's events */
    private array $told = ['0'];

    public function __construct(string $executable, string $address, int $port)
    {
        $this->command = [$executable, $address, (string) $port];
    }

    /** Starts it, with these values, which it can set only once. */
    public function enable(int $idle, int $interval, int $count, ?int $userTimeoutMs): void
    {
        $values = array_map('strval', [$idle, $interval, $count, $userTimeoutMs ?? -1]);
        $this->process = proc_open(array_merge($this->command, $values), [['pipe', 'r'], ['pipe', 'w']], $this->pipes);
        if (fgets($this->pipes[1]) !== "ready\n") {
            throw new \RuntimeException('near.c did not get ready');
        }
    }

    public function disable(): void
    {
        throw new \LogicException('near.c cannot');
    }

    public function write(string $data): int
    {
        return (int) fwrite($this->pipes[0], "$data\n");
    }

    public function waitUntil(float $time): bool
    {
        $left = max(0, $time - microtime(true));
        $read = [$this->pipes[1]];
        $write = $except = null;
        if (stream_select($read, $write, $except, (int) $left, (int) (1e6 * ($left - (int) $left))) !== 1) {
            return false;
        }
        $this->told = explode(' ', trim((string) fgets($this->pipes[1])));
        return true;
    }

    public function told(): array
    {
        return ['recv' => 'errno ' . $this->told[0], 'poll' => implode(' ', array_slice($this->told, 1))];
    }

    public function error(): int
    {
        return (int) $this->told[0];
    }
}
