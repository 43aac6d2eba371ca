<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** tls-server.php as a child process; it ends with this object. */
final class TlsServer
{
    public int $port;

    private Process $process;

    /** @param array<string, mixed> $ssl context options of the server */
    public function __construct(array $ssl, string $host = '127.0.0.1')
    {
        $options = (string) json_encode(['host' => $host, 'ssl' => $ssl]);
        $this->process = new Process([PHP_BINARY, __DIR__ . '/tls-server.php', $options]);
        $this->port = (int) $this->process->line();
        if ($this->port === 0) {
            throw new \RuntimeException('The TLS server has not started.');
        }
    }

    /** What it says of its next connection. @return array<string, string> */
    public function connection(): array
    {
        return json_decode($this->process->line(), true);
    }
}
