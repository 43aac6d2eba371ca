<?php

declare(strict_types=1);

namespace Keepalive;

/**
 * A TCP socket that this process had open when Keepalive::sockets() looked. Immutable. It does not keep the socket open:
 * once its owner closes it, the descriptor may belong to another socket.
 */
final class OpenSocket implements \JsonSerializable
{
    private int $fd;
    private int $state;
    private string $local;
    private string $remote;

    /** @internal Keepalive::sockets() makes these. */
    public function __construct(int $fd, int $state, string $local, string $remote)
    {
        $this->fd = $fd;
        $this->state = $state;
        $this->local = $local;
        $this->remote = $remote;
    }

    public function fd(): int
    {
        return $this->fd;
    }

    /** This end, "192.0.2.1:40000" or "[2001:db8::1]:40000"; empty while unbound. */
    public function local(): string
    {
        return $this->local;
    }

    /** The other end in the same form, also while connecting to it; empty while there is none. */
    public function remote(): string
    {
        return $this->remote;
    }

    /** The TCP state by name, as Status::state(). */
    public function state(): string
    {
        return Status::STATES[$this->state] ?? 'UNKNOWN';
    }

    /** @return array{state: string, fd: int, local: string, remote: string} */
    public function jsonSerialize(): array
    {
        return ['state' => $this->state()] + get_object_vars($this);
    }
}
