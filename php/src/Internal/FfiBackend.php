<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\SocketException;
use Keepalive\Exception\TypeError;
use Keepalive\Exception\UnavailableException;
use Keepalive\OpenSocket;
use Keepalive\Settings;
use Keepalive\Status;

use function is_int;
use function is_resource;
use function is_string;

use const PHP_VERSION_ID;

/**
 * Through the shared library: reaches everything that has a descriptor.
 *
 * FFI silently converts any value to an int, so only ints are given to it.
 *
 * @internal
 */
final class FfiBackend implements Backend
{
    /**
     * Static, and never given to a function: the properties of instances, and arguments, can be seen
     * with (array), var_dump() and debug_backtrace(), in an application's error handler for instance. With
     * ffi.enable=preload the application must not get it; docs/fpm.md says what reflection can still do.
     */
    private static ?\FFI $ffi = null;

    /**
     * The last settings that were applied, and a pointer to the same for C, and what it points to: programs
     * apply one object to many sockets. They are in one array, so that an asynchronous signal handler that applies
     * other settings cannot mix them up.
     *
     * @var array{Settings, \FFI\CData, \FFI\CData}|null
     */
    private static ?array $applied = null;

    /** @throws UnavailableException FFI is not allowed, or no usable library was found */
    public function __construct()
    {
        if (self::$ffi === null) {
            $library = Library::find(); // first: it reports if there is no class FFI
            self::$ffi = \FFI::cdef(Declarations::C, $library);
        }
    }

    public function name(): string
    {
        return 'ffi';
    }

    public function set($socket, int $idle, int $interval, int $count): void
    {
        $returned = self::$ffi->ka_set($this->descriptor($socket), $idle, $interval, $count);
        if ($returned < 0) {
            $attempt = "Setting TCP_KEEPINTVL=$interval, TCP_KEEPCNT=$count, TCP_KEEPIDLE=$idle, SO_KEEPALIVE=1";
            throw $this->refused($attempt, $socket, $returned);
        }
    }

    public function apply($socket, Settings $settings): void
    {
        $fd = $this->descriptor($socket);
        $applied = self::$applied;
        if ($applied === null || $applied[0] !== $settings) {
            $values = self::valuesOf($settings);
            self::$applied = $applied = [$settings, \FFI::addr($values), $values];
        }
        $returned = self::$ffi->ka_apply($fd, $applied[1]);
        if ($returned < 0) {
            if ($settings->userTimeoutMs() !== null && $this->hasNoUserTimeout($fd)) {
                $name = SocketKind::describe($socket);
                throw SocketException::refused(self::attempt($settings), $name, -$returned, Errno::NO_USER_TIMEOUT);
            }
            throw $this->refused(self::attempt($settings), $socket, $returned);
        }
    }

    public function disable($socket): void
    {
        $returned = self::$ffi->ka_disable($this->descriptor($socket));
        if ($returned < 0) {
            throw $this->refused('Setting SO_KEEPALIVE=0', $socket, $returned);
        }
    }

    public function settings($socket): Settings
    {
        $fd = $this->descriptor($socket);
        $settings = self::$ffi->new('ka_settings');
        $returned = self::$ffi->ka_get($fd, \FFI::addr($settings));
        if ($returned < 0) {
            throw $this->refused('Reading SO_KEEPALIVE and the TCP_KEEP options', $socket, $returned);
        }
        return self::settingsOf($settings);
    }

    public function defaults(): Settings
    {
        $settings = self::$ffi->ka_defaults();
        if ($settings->enabled < 0) {
            throw $this->refused('Reading the defaults', 'a fresh TCP socket', $settings->enabled);
        }
        return self::settingsOf($settings);
    }

    public function status($socket): Status
    {
        $liveness = self::$ffi->new('ka_liveness');
        $returned = self::$ffi->ka_status($this->descriptor($socket), \FFI::addr($liveness));
        if ($returned < 0) {
            throw $this->refused('Reading TCP_INFO', $socket, $returned);
        }
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
        $capacity = 64;
        do {
            $room = $capacity;
            $sockets = self::$ffi->new("ka_socket[$room]");
            $capacity = self::$ffi->ka_sockets(\FFI::addr($sockets[0]), $room);
        } while ($capacity > $room);

        $open = [];
        for ($i = 0; $i < $capacity; $i++) {
            $socket = $sockets[$i];
            $open[] = new OpenSocket(
                $socket->fd,
                $socket->state,
                \FFI::string($socket->local),
                \FFI::string($socket->remote)
            );
        }
        return $open;
    }

    /**
     * The number that the kernel knows the socket by.
     *
     * @param mixed $socket
     */
    private function descriptor($socket): int
    {
        // Since PHP 8.0 fstat() refuses any other resource by itself.
        if (is_resource($socket) && (PHP_VERSION_ID >= 80000 || SocketKind::isStream($socket))) {
            $stat = SocketKind::stat($socket);
            if ($stat === null) {
                return $this->descriptorByEnds($socket);
            }
            $fd = self::$ffi->ka_find($stat['dev'], $stat['ino']);
            if ($fd < 0) {
                throw $this->refused('Looking for the descriptor', $socket, $fd);
            }
            return $fd;
        }
        $fd = $socket instanceof OpenSocket ? $socket->fd() : $socket;
        if (is_int($fd)) {
            // No descriptor is outside of C's int; FFI would cut the number down to another one.
            return $fd >= 0 && $fd <= 0x7FFFFFFF ? $fd : -1;
        }
        if (SocketKind::isSocket($socket)) {
            return $this->descriptor(SocketKind::streamOf($socket)); // now it is a stream
        }
        throw TypeError::notASocket($socket);
    }

    /** @param resource $stream */
    private function descriptorByEnds($stream): int
    {
        [$local, $remote] = HiddenSocket::ends($stream) ?? ['', ''];
        foreach ($this->sockets() as $open) {
            if (Address::isSame($open->local(), $local) && Address::isSame($open->remote(), $remote)) {
                return $open->fd();
            }
        }
        throw HiddenSocket::outOfReach($stream);
    }

    private static function settingsOf(\FFI\CData $values): Settings
    {
        return new Settings(
            $values->enabled === 1,
            $values->idle,
            $values->intvl,
            $values->cnt,
            $values->user_timeout_ms < 0 ? null : $values->user_timeout_ms
        );
    }

    private static function valuesOf(Settings $settings): \FFI\CData
    {
        $values = self::$ffi->new('ka_settings');
        $values->enabled = (int) $settings->enabled();
        $values->idle = $settings->idle();
        $values->intvl = $settings->interval();
        $values->cnt = $settings->count();
        $values->user_timeout_ms = $settings->userTimeoutMs() ?? Values::UNCHANGED;
        return $values;
    }

    /** Whether this is a socket that has all options but this one. */
    private function hasNoUserTimeout(int $fd): bool
    {
        $settings = self::$ffi->new('ka_settings');
        return self::$ffi->ka_get($fd, \FFI::addr($settings)) === 0 && $settings->user_timeout_ms < 0;
    }

    /** The options in the order of ka_apply(). */
    private static function attempt(Settings $settings): string
    {
        $userTimeoutMs = $settings->userTimeoutMs();
        return sprintf(
            'Setting %sTCP_KEEPINTVL=%d, TCP_KEEPCNT=%d, TCP_KEEPIDLE=%d, SO_KEEPALIVE=%d',
            $userTimeoutMs === null ? '' : "TCP_USER_TIMEOUT=$userTimeoutMs, ",
            $settings->interval(),
            $settings->count(),
            $settings->idle(),
            $settings->enabled()
        );
    }

    /** @param mixed $socket */
    private function refused(string $attempt, $socket, int $returned): SocketException
    {
        $name = is_string($socket) ? $socket : SocketKind::describe($socket);
        return SocketException::refused($attempt, $name, -$returned, self::$ffi->ka_strerror($returned));
    }
}
