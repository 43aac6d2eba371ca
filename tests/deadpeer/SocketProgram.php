<?php

declare(strict_types=1);

namespace DeadPeer;

use Keepalive\Keepalive;

/** A PHP program with nothing but socket_...() functions, that waits in socket_select(). */
final class SocketProgram implements Program
{
    /** @var \Socket|resource */
    private $socket;

    /** @var array<string, string> */
    private array $told = [];
    private int $error = 0;

    public function __construct(string $address, int $port)
    {
        $this->socket = socket_create(strpos($address, ':') === false ? AF_INET : AF_INET6, SOCK_STREAM, SOL_TCP);
        if (!socket_connect($this->socket, $address, $port) || socket_read($this->socket, 64) !== "hello\n") {
            throw new \RuntimeException("no greeting from $address");
        }
    }

    public function enable(int $idle, int $interval, int $count, ?int $userTimeoutMs): void
    {
        Keepalive::enable($this->socket, $idle, $interval, $count, $userTimeoutMs);
    }

    public function disable(): void
    {
        Keepalive::disable($this->socket);
    }

    public function write(string $data): int
    {
        return (int) socket_write($this->socket, $data);
    }

    public function waitUntil(float $time): bool
    {
        $left = max(0, $time - microtime(true));
        $read = [$this->socket];
        $write = $except = null;
        $selected = socket_select($read, $write, $except, (int) $left, (int) (1e6 * ($left - (int) $left)));
        $this->told = ['socket_select' => var_export($selected, true)];
        if ($selected !== 1) {
            return false;
        }
        $this->told['socket_recv'] = var_export(@socket_recv($this->socket, $data, 8192, 0), true);
        $this->error = socket_last_error($this->socket);
        $this->told['socket_last_error'] = (string) $this->error;
        return (string) $data === '';
    }

    public function told(): array
    {
        return $this->told;
    }

    public function error(): int
    {
        return $this->error;
    }
}
