<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\OpenSocket;
use Keepalive\Settings;
use Keepalive\Status;

/**
 * A way to the kernel's socket options. The values have been checked already; the socket has not.
 *
 * @internal
 */
interface Backend
{
    /** What Keepalive::backend() says. */
    public function name(): string;

    /**
     * Turns keepalive on, with these values; the user timeout is not changed.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     */
    public function set($socket, int $idle, int $interval, int $count): void;

    /** Sets all five values together.
     *
     * @param resource|\Socket|int|OpenSocket $socket
     */
    public function apply($socket, Settings $settings): void;

    /** @param resource|\Socket|int|OpenSocket $socket */
    public function disable($socket): void;

    /** @param resource|\Socket|int|OpenSocket $socket */
    public function settings($socket): Settings;

    public function defaults(): Settings;

    /** @param resource|\Socket|int|OpenSocket $socket */
    public function status($socket): Status;

    /** @return OpenSocket[] */
    public function sockets(): array;
}
