<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\{TypeError, UnavailableException};
use Keepalive\{OpenSocket, Settings, Status};

/** Through ext-sockets: always for Socket objects, and for streams without the library. */
final class SocketsBackend implements Backend
{
    private ?UnavailableException $whyNotFfi;

    /** @param UnavailableException|null $whyNotFfi null: for Socket objects, beside the library */
    public function __construct(?UnavailableException $whyNotFfi = null)
    {
        if (!defined('TCP_USER_TIMEOUT')) { // pages whose classes are preloaded; PHP-FPM's chroot may hide the file
            require_once dirname(__DIR__, 2) . '/constants.php';
        }
        $this->whyNotFfi = $whyNotFfi;
    }

    public function apply($socket, Settings $settings): void
    {
        $this->with($socket, static fn (SocketOptions $options) => $options->apply($settings));
    }

    public function settings($socket): Settings
    {
        return $this->with($socket, static fn (SocketOptions $options) => $options->settings());
    }

    public function defaults(): Settings
    {
        return Php::quietly(static fn () => SocketOptions::ofFreshSocket()->settings());
    }

    public function status($socket): Status
    {
        return $this->with($socket, function (): Status {
            throw $this->needsFfi('Keepalive::status()');
        });
    }

    public function sockets(): array
    {
        throw $this->needsFfi('Keepalive::sockets()');
    }

    /** @return mixed what $work returns @param mixed $socket @param callable(SocketOptions): mixed $work */
    private function with($socket, callable $work)
    {
        return Php::quietly(function () use ($socket, $work) {
            if (SocketKind::isSocket($socket)) {
                try {
                    socket_clear_error($socket);
                } catch (\Error $closed) {
                    throw TypeError::closedSocket($closed);
                }
                return $work(new SocketOptions($socket, $socket));
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

    /** @return mixed what $work returns @param resource $stream @param callable(SocketOptions): mixed $work */
    private function withStream($stream, callable $work)
    {
        $socket = Php::quietly(static fn () => socket_import_stream($stream));
        if ($socket === false) {
            if (SocketKind::stat($stream) === null && SocketKind::ends($stream) === null) {
                throw SocketKind::outOfReach($stream);
            }
            throw $this->needsFfi('To reach ' . Php::describeSocket($stream) . ', an established TLS or filtered stream');
        }
        try {
            return $work(new SocketOptions($socket, $stream));
        } finally {
            // The import has switched buffering off, which would cost one system call for each fread(). If the program
            // itself had switched it off, it is on again too: PHP does not show that. Any size means on.
            stream_set_read_buffer($stream, 8192);
        }
    }

    private function needsFfi(string $what): UnavailableException
    {
        $why = $this->whyNotFfi === null ? '' : $this->whyNotFfi->getMessage();
        return new UnavailableException("$what needs FFI and the shared library. $why", 0, $this->whyNotFfi);
    }
}
