<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** tls-server.php as a child process; it ends with this object. */
final class TlsServer
{
    public int $port;

    /** @var resource */
    private $process;

    /** @var resource[] */
    private array $pipes = [];

    /** @param array<string, mixed> $ssl context options of the server */
    public function __construct(array $ssl, string $host = '127.0.0.1')
    {
        Child::inheritNothing();
        $this->process = proc_open(
            [PHP_BINARY, __DIR__ . '/tls-server.php', (string) json_encode(['host' => $host, 'ssl' => $ssl])],
            [['pipe', 'r'], ['pipe', 'w']],
            $this->pipes
        );
        $this->port = (int) $this->line();
        if ($this->port === 0) {
            throw new \RuntimeException('The TLS server has not started.');
        }
    }

    public function __destruct()
    {
        array_map('fclose', $this->pipes);
        proc_close($this->process);
    }

    /** What it says of its next connection. @return array<string, string> */
    public function connection(): array
    {
        return json_decode($this->line(), true);
    }

    private function line(): string
    {
        $read = [$this->pipes[1]];
        $none = null;
        if (stream_select($read, $none, $none, 10) !== 1) {
            throw new \RuntimeException('The TLS server says nothing.');
        }
        return (string) fgets($this->pipes[1]);
    }
}
