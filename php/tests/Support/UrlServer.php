<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** url-server.php as a child process; it ends with this object. */
final class UrlServer
{
    /** @var array<string, int> by "http", "https", "ftp" */
    private array $ports;

    private Process $process;

    public function __construct()
    {
        $this->process = new Process([PHP_BINARY, __DIR__ . '/url-server.php', Certificates::of('localhost')]);
        $ports = array_map('intval', explode(' ', $this->process->line()));
        if (count($ports) !== 3) {
            throw new \RuntimeException('The server of URLs has not started.');
        }
        $this->ports = ['http' => $ports[0], 'https' => $ports[1], 'ftp' => $ports[2]];
    }

    /** "https://127.0.0.1:40000/chunks" for "https", "/chunks" */
    public function url(string $protocol, string $path): string
    {
        return "$protocol://" . $this->address($protocol) . $path;
    }

    public function address(string $protocol): string
    {
        return "127.0.0.1:{$this->ports[$protocol]}";
    }
}
