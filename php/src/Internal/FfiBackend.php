<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\{SocketException, TypeError};
use Keepalive\{OpenSocket, Settings, Status};

/** Through the shared library: what has a descriptor. FFI makes an int of any value, so it is given only ints. */
final class FfiBackend implements Backend
{
    /**
     * With ffi.enable=preload the application must not get it. So it is static, and never given to a function:
     * properties of instances, and arguments, can be seen with (array), var_dump() and debug_backtrace(), in an error
     * handler for instance. docs/fpm.md says what reflection can still do.
     */
    private static ?\FFI $ffi = null;

    /**
     * What was applied last, a pointer to the same for C, and what it points to: programs apply one object to many
     * sockets. In one array, so that an asynchronous signal handler that applies others cannot mix them up.
     *
     * @var array{Settings, \FFI\CData, \FFI\CData}|null
     */
    private static ?array $applied = null;

    public function __construct()
    {
        if (self::$ffi === null) {
            $library = Library::find(); // first: it reports if there is no class FFI
            self::$ffi = \FFI::cdef(Declarations::C, $library);
        }
    }

    /** Turns keepalive on and leaves the user timeout, by fewer steps than apply(). @param mixed $socket */
    public function set($socket, int $idle, int $interval, int $count): void
    {
        $fd = $this->descriptor($socket);
        $returned = self::$ffi->ka_set($fd, $idle, $interval, $count);
        if ($returned < 0) {
            $this->refuse($returned, new Settings(true, $idle, $interval, $count, null), $fd, $socket);
        }
    }

    public function apply($socket, Settings $settings): void
    {
        $fd = $this->descriptor($socket);
        $applied = self::$applied;
        if ($applied === null || $applied[0] !== $settings) {
            $values = self::$ffi->new('ka_settings');
            $values->enabled = (int) $settings->enabled();
            $values->idle = $settings->idle();
            $values->intvl = $settings->interval();
            $values->cnt = $settings->count();
            $values->user_timeout_ms = $settings->userTimeoutMs() ?? Values::UNCHANGED;
            self::$applied = $applied = [$settings, \FFI::addr($values), $values];
        }
        $returned = self::$ffi->ka_apply($fd, $applied[1]);
        if ($returned < 0) {
            $this->refuse($returned, $settings, $fd, $socket);
        }
    }

    public function settings($socket): Settings
    {
        $values = self::$ffi->new('ka_settings');
        $returned = self::$ffi->ka_get($this->descriptor($socket), \FFI::addr($values));
        $this->check($returned, 'Reading SO_KEEPALIVE and the TCP_KEEP options', $socket);
        return self::settingsOf($values);
    }

    public function defaults(): Settings
    {
        $values = self::$ffi->ka_defaults();
        $this->check($values->enabled, 'Reading the defaults', 'a fresh TCP socket');
        return self::settingsOf($values);
    }

    public function status($socket): Status
    {
        $liveness = self::$ffi->new('ka_liveness');
        $returned = self::$ffi->ka_status($this->descriptor($socket), \FFI::addr($liveness));
        $this->check($returned, 'Reading TCP_INFO', $socket);
        return new Status(
            $liveness->state,
            $liveness->probes,
            $liveness->unacked,
            $liveness->last_received_ms,
            $liveness->last_sent_ms,
            $liveness->rtt_us
        );
    }

    public function sockets(): array
    {
        $count = 64;
        do {
            $room = $count;
            $sockets = self::$ffi->new("ka_socket[$room]");
            $count = self::$ffi->ka_sockets(\FFI::addr($sockets[0]), $room);
        } while ($count > $room);

        $open = [];
        for ($i = 0; $i < $count; $i++) {
            $socket = $sockets[$i];
            [$local, $remote] = [\FFI::string($socket->local), \FFI::string($socket->remote)];
            $open[] = new OpenSocket($socket->fd, $socket->state, $local, $remote);
        }
        return $open;
    }

    /** The number that the kernel knows the socket by. @param mixed $socket */
    private function descriptor($socket): int
    {
        // Since PHP 8.0 fstat() refuses any other resource by itself.
        if (\is_resource($socket) && (\PHP_VERSION_ID >= 80000 || SocketKind::isStream($socket))) {
            try {
                $stat = @\fstat($socket);
            } catch (\TypeError | \StreamException $refused) { // SocketKind::stat() says why
                $stat = false;
            }
            if ($stat === false || ($stat['mode'] & 0170000) !== 0140000) { // S_IFMT, S_IFSOCK
                return $this->descriptorByEnds($socket);
            }
            $fd = self::$ffi->ka_find($stat['dev'], $stat['ino']);
            if ($fd < 0) {
                $this->check($fd, 'Looking for the descriptor', $socket);
            }
            return $fd;
        }
        $fd = $socket instanceof OpenSocket ? $socket->fd() : $socket;
        if (\is_int($fd)) {
            // No descriptor is outside of C's int; FFI would cut the number down to another one.
            return $fd >= 0 && $fd <= Values::MAX_INT ? $fd : -1;
        }
        if (SocketKind::isSocket($socket)) {
            return $this->descriptor(SocketKind::streamOf($socket)); // now it is a stream
        }
        throw TypeError::notASocket($socket);
    }

    /** @param resource $stream */
    private function descriptorByEnds($stream): int
    {
        SocketKind::stat($stream); // throws if there is no socket
        $ends = SocketKind::ends($stream);
        foreach ($this->sockets() as $open) {
            if ($ends === [$open->local(), $open->remote()]) {
                return $open->fd();
            }
        }
        throw SocketKind::outOfReach($stream);
    }

    /** @param mixed $values a ka_settings */
    private static function settingsOf($values): Settings
    {
        $timeout = $values->user_timeout_ms < 0 ? null : $values->user_timeout_ms;
        return new Settings($values->enabled === 1, $values->idle, $values->intvl, $values->cnt, $timeout);
    }

    private function refuse(int $returned, Settings $settings, int $fd, $socket): void
    {
        $attempt = 'Setting ' . http_build_query($settings->options(), '', ', ');
        $current = self::$ffi->new('ka_settings');
        $isTcp = self::$ffi->ka_get($fd, \FFI::addr($current)) === 0;
        if ($isTcp && $current->user_timeout_ms < 0 && $settings->userTimeoutMs() !== null) {
            throw SocketException::refused($attempt, $socket, -$returned, Errno::NO_USER_TIMEOUT);
        }
        $this->check($returned, $attempt, $socket);
    }

    private function check(int $returned, string $attempt, $socket): void
    {
        if ($returned < 0) {
            throw SocketException::refused($attempt, $socket, -$returned, self::$ffi->ka_strerror($returned));
        }
    }
}
