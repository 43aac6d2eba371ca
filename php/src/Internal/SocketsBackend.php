<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\SocketException;
use Keepalive\Exception\TypeError;
use Keepalive\Exception\UnavailableException;
use Keepalive\OpenSocket;
use Keepalive\Settings;
use Keepalive\Status;

use function is_resource;

/**
 * Through ext-sockets: always for Socket objects, and for streams without the library.
 *
 * @internal
 */
final class SocketsBackend implements Backend
{
    /** Any size means buffered, which is the default of streams. */
    private const READ_BUFFER = 8192;

    /** Why the library is not used, for messages. */
    private string $whyNotFfi;

    /** @var array<string, array{int, int}> level and number of each option for which this PHP has a constant */
    private array $options = [];

    /** @throws UnavailableException disable_functions has disabled a needed function */
    public function __construct(string $whyNotFfi)
    {
        require_once dirname(__DIR__, 2) . '/constants.php';
        Php::need(
            'socket_get_option',
            'socket_set_option',
            'socket_import_stream',
            'socket_last_error',
            'socket_strerror',
            'stream_set_read_buffer'
        );
        $this->whyNotFfi = $whyNotFfi;
        $levels = ['SO_KEEPALIVE' => SOL_SOCKET] + array_fill_keys(
            ['TCP_KEEPIDLE', 'TCP_KEEPINTVL', 'TCP_KEEPCNT', 'TCP_USER_TIMEOUT', 'TCP_NODELAY'],
            SOL_TCP
        );
        foreach ($levels as $option => $level) {
            if (defined($option)) {
                $this->options[$option] = [$level, constant($option)];
            }
        }
    }

    public function name(): string
    {
        return 'sockets';
    }

    public function set($socket, int $idle, int $interval, int $count): void
    {
        $this->apply($socket, new Settings(true, $idle, $interval, $count, null));
    }

    /** In the order of ka_apply(), for the same reasons. */
    public function apply($socket, Settings $settings): void
    {
        $options = [
            'TCP_USER_TIMEOUT' => $settings->userTimeoutMs() ?? Values::UNCHANGED,
            'TCP_KEEPINTVL' => $settings->interval(),
            'TCP_KEEPCNT' => $settings->count(),
            'TCP_KEEPIDLE' => $settings->idle(),
        ];
        $enabled = (int) $settings->enabled();
        $this->with($socket, function ($handle) use ($socket, $options, $enabled): void {
            foreach ($this->toWrite($handle, $socket, $options) + ['SO_KEEPALIVE' => $enabled] as $option => $value) {
                $this->write($handle, $socket, $option, $value);
            }
        });
    }

    public function disable($socket): void
    {
        $this->with($socket, function ($handle) use ($socket): void {
            $this->refuseUnlessTcp($handle, $socket);
            $this->write($handle, $socket, 'SO_KEEPALIVE', 0);
        });
    }

    public function settings($socket): Settings
    {
        return $this->with($socket, function ($handle) use ($socket): Settings {
            return $this->settingsOf($handle, $socket);
        });
    }

    public function defaults(): Settings
    {
        Php::need('socket_create');
        $scratch = Php::quietly(static function () {
            return socket_create(AF_INET, SOCK_STREAM, SOL_TCP) ?: socket_create(AF_INET6, SOCK_STREAM, SOL_TCP);
        });
        if ($scratch === false) {
            throw self::refused('Opening', 'a fresh TCP socket', socket_last_error());
        }
        $settings = $this->settings($scratch);
        socket_close($scratch);
        return $settings;
    }

    public function status($socket): Status
    {
        $hasDescriptor = is_int($socket) || $socket instanceof OpenSocket;
        if (!$hasDescriptor && !SocketKind::isStream($socket) && !SocketKind::isSocket($socket)) {
            throw TypeError::notASocket($socket);
        }
        throw $this->needsFfi('Keepalive::status()');
    }

    public function sockets(): array
    {
        throw $this->needsFfi('Keepalive::sockets()');
    }

    /**
     * Calls $work with the Socket for what the user gave.
     *
     * @template T
     * @param mixed $socket
     * @param callable(resource|\Socket): T $work
     * @return T
     */
    private function with($socket, callable $work)
    {
        return Php::quietly(function () use ($socket, $work) {
            if (SocketKind::isSocket($socket)) {
                return $work($socket);
            }
            if (SocketKind::isStream($socket)) {
                return $this->withStream($socket, $work);
            }
            if (is_int($socket) || $socket instanceof OpenSocket) {
                throw $this->needsFfi('To reach a bare descriptor');
            }
            throw TypeError::notASocket($socket);
        });
    }

    /**
     * @template T
     * @param resource $stream
     * @param callable(resource|\Socket): T $work
     * @return T
     */
    private function withStream($stream, callable $work)
    {
        $stat = SocketKind::stat($stream);
        $handle = 'unknown';
        try {
            try {
                $handle = socket_import_stream($stream);
            } catch (\TypeError $closed) {
                throw TypeError::notASocket($stream, $closed);
            } catch (\StreamException $refused) { // PHP 8.6, as the stream's context may ask for
                $handle = false;
            }
            if ($handle === false || $handle === null) {
                if ($stat === null && HiddenSocket::ends($stream) === null) {
                    throw HiddenSocket::outOfReach($stream);
                }
                throw $this->needsFfi('To reach ' . SocketKind::describe($stream) . ', an established TLS or filtered stream');
            }
            return $work($handle);
        } finally {
            // The import has switched buffering off, which would cost one system call for each fread(). If the program
            // itself had switched it off, it is on again too: PHP does not show that.
            if ($handle !== false && $handle !== null && is_resource($stream)) {
                stream_set_read_buffer($stream, self::READ_BUFFER);
            }
        }
    }

    /**
     * @param resource|\Socket $handle
     * @param mixed $socket what the user gave
     */
    private function settingsOf($handle, $socket): Settings
    {
        return new Settings(
            $this->read($handle, $socket, 'SO_KEEPALIVE') !== 0,
            $this->read($handle, $socket, 'TCP_KEEPIDLE'),
            $this->read($handle, $socket, 'TCP_KEEPINTVL'),
            $this->read($handle, $socket, 'TCP_KEEPCNT'),
            $this->readUserTimeout($handle)
        );
    }

    /** @param resource|\Socket $handle */
    private function readUserTimeout($handle): ?int
    {
        $value = isset($this->options['TCP_USER_TIMEOUT']) ? $this->getOption($handle, 'TCP_USER_TIMEOUT') : false;
        return is_int($value) ? $value : null;
    }

    /**
     * The values to write, in order: without those that stay, and with the system's defaults as numbers.
     *
     * @param resource|\Socket $handle
     * @param mixed $socket what the user gave
     * @param array<string, int> $options
     * @return array<string, int>
     */
    private function toWrite($handle, $socket, array $options): array
    {
        $defaults = null;
        foreach ($options as $option => $value) {
            if ($option !== 'TCP_USER_TIMEOUT' && $value === Values::SYSTEM_DEFAULT) {
                $defaults = $defaults ?? $this->defaults();
                $system = [
                    'TCP_KEEPINTVL' => $defaults->interval(),
                    'TCP_KEEPCNT' => $defaults->count(),
                    'TCP_KEEPIDLE' => $defaults->idle(),
                ];
                $options[$option] = $this->accepted($handle, $socket, $option, $system[$option], 'ERANGE');
            } elseif ($option !== 'TCP_USER_TIMEOUT' && $value !== Values::UNCHANGED) {
                $options[$option] = $this->accepted($handle, $socket, $option, $value, 'EINVAL');
            }
        }
        $options = array_filter($options, static function (int $value): bool {
            return $value !== Values::UNCHANGED;
        });
        if ($options === []) {
            $this->refuseUnlessTcp($handle, $socket);
        }
        return $options;
    }

    /**
     * The value, if a socket accepts it. A sysctl may be larger or smaller than that: a socket that has such a value
     * keeps it (UNCHANGED); on any other socket it cannot be set.
     *
     * @param resource|\Socket $handle
     * @param mixed $socket what the user gave
     */
    private function accepted($handle, $socket, string $option, int $value, string $refusal): int
    {
        $max = $option === 'TCP_KEEPCNT' ? Values::MAX_COUNT : Values::MAX_SECONDS;
        if ($value >= 1 && $value <= $max) {
            return $value;
        }
        if ($this->read($handle, $socket, $option) === $value) {
            return Values::UNCHANGED;
        }
        throw self::refused("Setting $option=$value", SocketKind::describe($socket), Errno::number($refusal));
    }

    /**
     * SO_KEEPALIVE alone would succeed on sockets that are not TCP.
     *
     * @param resource|\Socket $handle
     * @param mixed $socket what the user gave
     */
    private function refuseUnlessTcp($handle, $socket): void
    {
        $this->read($handle, $socket, 'TCP_NODELAY');
    }

    /**
     * @param resource|\Socket $handle
     * @param mixed $socket what the user gave
     */
    private function read($handle, $socket, string $option): int
    {
        if (!isset($this->options[$option])) {
            return -1;
        }
        $value = $this->getOption($handle, $option);
        if ($value === false) {
            throw self::refused("Reading $option", SocketKind::describe($socket), socket_last_error($handle));
        }
        return $value;
    }

    /**
     * @param resource|\Socket $handle
     * @param mixed $socket what the user gave
     */
    private function write($handle, $socket, string $option, int $value): void
    {
        if (!isset($this->options[$option])) {
            $errno = SOCKET_ENOPROTOOPT;
        } elseif (!$this->setOption($handle, $option, $value)) {
            $errno = socket_last_error($handle);
        } else {
            return;
        }
        $attempt = "Setting $option=$value";
        if ($option === 'TCP_USER_TIMEOUT' && is_int($this->getOption($handle, 'TCP_KEEPIDLE'))) {
            throw SocketException::refused($attempt, SocketKind::describe($socket), $errno, Errno::NO_USER_TIMEOUT);
        }
        throw self::refused($attempt, SocketKind::describe($socket), $errno);
    }

    /**
     * @param resource|\Socket $handle
     * @return mixed int, or false
     */
    private function getOption($handle, string $option)
    {
        [$level, $number] = $this->options[$option];
        try {
            return socket_get_option($handle, $level, $number);
        } catch (\Error $closed) {
            throw TypeError::closedSocket($closed);
        }
    }

    /** @param resource|\Socket $handle */
    private function setOption($handle, string $option, int $value): bool
    {
        [$level, $number] = $this->options[$option];
        try {
            return (bool) socket_set_option($handle, $level, $number, $value);
        } catch (\Error $closed) {
            throw TypeError::closedSocket($closed);
        }
    }

    private static function refused(string $attempt, string $socket, int $errno): SocketException
    {
        return SocketException::refused($attempt, $socket, $errno, Errno::cause($errno));
    }

    private function needsFfi(string $what): UnavailableException
    {
        return new UnavailableException("$what needs FFI and the shared library. $this->whyNotFfi");
    }
}
