<?php

declare(strict_types=1);

namespace Keepalive\Tests\Support;

/** Ports for servers that bind only seconds later. */
final class FreePort
{
    /** Below 32768, where ip_local_port_range begins: no bind() to port 0 and no connect() takes one meanwhile. */
    private const FIRST = 10000;
    private const LAST = 32767;

    /** @var array<int, true> */
    private static array $taken = [];

    /** Another one at each call. */
    public static function take(): int
    {
        do {
            $port = random_int(self::FIRST, self::LAST);
        } while (isset(self::$taken[$port]) || @stream_socket_server("tcp://0.0.0.0:$port") === false);
        self::$taken[$port] = true;
        return $port;
    }
}
