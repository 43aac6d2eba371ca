<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\{OpenSocket, Settings, Status};

/** A way to the kernel's socket options. The values were checked already; $socket, which is as in enable(), was not. */
interface Backend
{
    /** Sets all five values together. */
    public function apply($socket, Settings $settings): void;

    public function settings($socket): Settings;

    public function defaults(): Settings;

    public function status($socket): Status;

    /** @return OpenSocket[] */
    public function sockets(): array;
}
