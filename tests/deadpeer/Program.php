<?php

declare(strict_types=1);

namespace DeadPeer;

/** A program on the near host, whose connection dies. */
interface Program
{
    /** The calls in told() that were made when the end was already known. */
    public const AFTERWARDS = ['timed_out', 'eof', 'socket_last_error()', 'status', 'fwrite'];

    /** Turns keepalive on; -1 and null leave a value unchanged. */
    public function enable(int $idle, int $interval, int $count, ?int $userTimeoutMs): void;

    public function disable(): void;

    /** Sends without waiting for anything. */
    public function write(string $data): int;

    /** Waits for the connection's end; true as soon as the program has been told of it. */
    public function waitUntil(float $time): bool;

    /**
     * What the program was told, in the order of the calls.
     *
     * @return array<string, string>
     */
    public function told(): array;

    /** The errno in what it was told, 0 where there was none. */
    public function error(): int;
}
