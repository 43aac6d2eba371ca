<?php

declare(strict_types=1);

namespace DeadPeer;

use Keepalive\Keepalive;

/**
 * A PHP program with a stream, TCP or TLS, that waits in one of these ways:
 *
 *   fread   blocked in it, stream_set_timeout() being longer than the case
 *   select  stream_select(), then fread()
 *   option  stream_select(), then SO_ERROR of the socket, then fread()
 *   loop    non-blocking: fread(), and feof() when it gave nothing
 *   feof    non-blocking: while (!feof()) fread()
 */
final class StreamProgram implements Program
{
    /** @var resource */
    private $stream;
    private string $waits;

    /** @var array<string, string> */
    private array $told = [];
    private int $error = 0;

    /** @param resource $stream */
    public function __construct($stream, string $waits)
    {
        $this->stream = $stream;
        $this->waits = $waits;
        stream_set_blocking($stream, $waits === 'fread');
    }

    public static function connect(string $address, string $waits, bool $noDelay): self
    {
        $context = stream_context_create([
            'ssl' => ['verify_peer' => false, 'verify_peer_name' => false],
            'socket' => ['tcp_nodelay' => $noDelay],
        ]);
        $stream = stream_socket_client($address, $errno, $error, 10, STREAM_CLIENT_CONNECT, $context);
        if ($stream === false || fgets($stream) !== "hello\n") {
            throw new \RuntimeException("no greeting from $address: $error");
        }
        return new self($stream, $waits);
    }

    public function enable(int $idle, int $interval, int $count, ?int $userTimeoutMs): void
    {
        Keepalive::enable($this->stream, $idle, $interval, $count, $userTimeoutMs);
    }

    public function disable(): void
    {
        Keepalive::disable($this->stream);
    }

    public function write(string $data): int
    {
        return (int) @fwrite($this->stream, $data);
    }

    public function waitUntil(float $time): bool
    {
        do {
            $this->told = [];
            $left = max(0.001, $time - microtime(true)); // 0 would be no limit for TLS
            $ended = $this->hasEnded((int) $left, (int) (1e6 * ($left - (int) $left)));
            $now = microtime(true);
        } while (!$ended && $now < $time);
        return $ended;
    }

    public function told(): array
    {
        $this->tellState();
        return $this->told;
    }

    public function error(): int
    {
        return $this->error;
    }

    private function hasEnded(int $seconds, int $microseconds): bool
    {
        switch ($this->waits) {
            case 'fread':
                stream_set_timeout($this->stream, $seconds, $microseconds);
                return $this->read();
            case 'feof':
                usleep(10000);
                $ended = $this->tell('feof', function () {
                    return feof($this->stream);
                });
                $this->read();
                return $ended;
            case 'loop':
                usleep(10000);
                return $this->read();
        }
        $selected = $this->tell('stream_select', function () use ($seconds, $microseconds) {
            $read = [$this->stream];
            $write = $except = null;
            return stream_select($read, $write, $except, $seconds, $microseconds);
        });
        if ($selected !== 1) {
            return false;
        }
        if ($this->waits === 'option') {
            $socket = $this->tell('socket_import_stream', function () {
                return socket_import_stream($this->stream);
            });
            if ($socket) {
                $this->error = $this->tell('SO_ERROR', static function () use ($socket) {
                    return socket_get_option($socket, SOL_SOCKET, SO_ERROR);
                });
            }
        }
        return $this->read();
    }

    /** Ended is: an error, or the end of the file. */
    private function read(): bool
    {
        $data = $this->tell('fread', function () {
            return fread($this->stream, 8192);
        });
        if ((string) $data !== '') {
            return false;
        }
        $ended = $this->tell('feof', function () {
            return feof($this->stream);
        });
        return $ended || $this->error !== 0;
    }

    private function tellState(): void
    {
        $meta = stream_get_meta_data($this->stream);
        $this->told['timed_out'] = self::show($meta['timed_out']);
        $this->told['eof'] = self::show($meta['eof']);
        $this->told['socket_last_error()'] = (string) socket_last_error();
        if (Keepalive::backend() === 'ffi') {
            $this->told['status'] = Keepalive::status($this->stream)->state();
        }
        // Its warning differs from one PHP and OpenSSL to the next.
        $this->told['fwrite'] = self::show(@fwrite($this->stream, 'x'));
    }

    /**
     * Makes a call and notes what it returned and what it warned of.
     *
     * @return mixed what it returned
     */
    private function tell(string $name, callable $call)
    {
        error_clear_last();
        $result = @$call();
        $warning = preg_replace('/^\w+\(\): /', '', error_get_last()['message'] ?? '');
        $this->told[$name] = self::show($result) . ($warning === '' ? '' : ", \"$warning\"");
        if (preg_match('/errno=(\d+)/', $warning, $match)) {
            $this->error = (int) $match[1];
        }
        foreach ([SOCKET_ETIMEDOUT, SOCKET_EHOSTUNREACH, SOCKET_ECONNRESET] as $errno) {
            if (strpos($warning, 'SSL: ' . socket_strerror($errno)) === 0) {
                $this->error = $errno;
            }
        }
        return $result;
    }

    /** @param mixed $value */
    private static function show($value): string
    {
        return is_object($value) || is_resource($value) ? 'a Socket' : var_export($value, true);
    }
}
