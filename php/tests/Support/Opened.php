<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** A socket for a test, and the resources that must stay open as long as it is. */
final class Opened
{
    /** @var resource|\Socket|int|\Keepalive\OpenSocket what is given to the package */
    public $socket;

    /** @var resource|\Socket|int where Kernel looks for the same socket */
    public $witness;

    /** @var resource|\Socket|null the other end */
    public $peer;

    /** @var mixed[] */
    private array $alsoOpen;

    /**
     * @param resource|\Socket|int|\Keepalive\OpenSocket $socket
     * @param resource|\Socket|null $peer
     * @param mixed[] $alsoOpen
     * @param resource|\Socket|int|null $witness null: $socket
     */
    public function __construct($socket, $peer = null, array $alsoOpen = [], $witness = null)
    {
        $this->socket = $socket;
        $this->peer = $peer;
        $this->alsoOpen = $alsoOpen;
        $this->witness = $witness ?? $socket;
    }

    /** PHP keeps persistent streams open, with ports that the sockets of later tests may get. */
    public function __destruct()
    {
        if (is_resource($this->socket) && get_resource_type($this->socket) === 'persistent stream') {
            fclose($this->socket);
        }
    }

    /** @return array<string, int|null> */
    public function options(): array
    {
        return Kernel::options($this->witness);
    }
}
