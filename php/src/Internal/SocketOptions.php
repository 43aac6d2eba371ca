<?php

declare(strict_types=1);

namespace Keepalive\Internal;

use Keepalive\Exception\SocketException;
use Keepalive\Settings;

/** The options of one Socket of ext-sockets. */
final class SocketOptions
{
    /** What a socket accepts, from 1. */
    private const MAX = [
        'TCP_KEEPINTVL' => Values::MAX_SECONDS,
        'TCP_KEEPCNT' => Values::MAX_COUNT,
        'TCP_KEEPIDLE' => Values::MAX_SECONDS,
    ];

    /** @var \Socket a resource before PHP 8 */
    private $socket;
    /** @var mixed what the user gave, or a name */
    private $given;

    /** @param \Socket $socket @param mixed $given */
    public function __construct($socket, $given)
    {
        $this->socket = $socket;
        $this->given = $given;
    }

    /** To be read at once and forgotten: kept open, it could have the number of a socket that the program has closed. */
    public static function ofFreshSocket(): self
    {
        $socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP) ?: socket_create(AF_INET6, SOCK_STREAM, SOL_TCP);
        if ($socket === false) {
            $errno = socket_last_error();
            throw SocketException::refused('Opening', 'a fresh TCP socket', $errno, Errno::cause($errno));
        }
        return new self($socket, 'a fresh TCP socket');
    }

    public function settings(): Settings
    {
        // MPTCP has no user timeout, nor have some systems.
        $number = defined('TCP_USER_TIMEOUT') ? constant('TCP_USER_TIMEOUT') : null;
        $timeout = $number === null ? false : socket_get_option($this->socket, SOL_TCP, $number);
        return new Settings(
            $this->read('SO_KEEPALIVE') !== 0,
            $this->read('TCP_KEEPIDLE'),
            $this->read('TCP_KEEPINTVL'),
            $this->read('TCP_KEEPCNT'),
            $timeout === false ? null : (int) $timeout
        );
    }

    /** In the order of ka_apply(), and as there nothing is written if a value would be refused. */
    public function apply(Settings $settings): void
    {
        $options = $settings->options();
        if (count($options) === 1) {
            $this->read('TCP_NODELAY'); // SO_KEEPALIVE alone would succeed on sockets that are not TCP
        }
        foreach (array_intersect_key(self::MAX, $options) as $option => $max) {
            $isDefault = $options[$option] === Values::SYSTEM_DEFAULT;
            $value = $isDefault ? self::ofFreshSocket()->read($option) : $options[$option];
            $options[$option] = $value;
            if ($value < 1 || $value > $max) {
                // A sysctl may be: a socket that has the value keeps it, any other would refuse it.
                if ($this->read($option) !== $value) {
                    throw $this->refused("Setting $option=$value", Errno::number($isDefault ? 'ERANGE' : 'EINVAL'));
                }
                unset($options[$option]);
            }
        }
        foreach ($options as $option => $value) {
            $this->write($option, $value);
        }
    }

    private function read(string $option): int
    {
        $value = socket_get_option($this->socket, self::level($option), constant($option));
        if ($value === false) {
            throw $this->refused("Reading $option", socket_last_error($this->socket));
        }
        return (int) $value;
    }

    private function write(string $option, int $value): void
    {
        $exists = defined($option); // other systems than Linux may have no user timeout
        if (!$exists || !socket_set_option($this->socket, self::level($option), constant($option), $value)) {
            $errno = $exists ? socket_last_error($this->socket) : SOCKET_ENOPROTOOPT;
            $isTcp = $errno === SOCKET_ENOPROTOOPT && socket_get_option($this->socket, SOL_TCP, TCP_KEEPIDLE) !== false;
            $cause = $isTcp && $option === 'TCP_USER_TIMEOUT' ? Errno::NO_USER_TIMEOUT : Errno::cause($errno);
            throw SocketException::refused("Setting $option=$value", $this->given, $errno, $cause);
        }
    }

    private function refused(string $attempt, int $errno): SocketException
    {
        return SocketException::refused($attempt, $this->given, $errno, Errno::cause($errno));
    }

    private static function level(string $option): int
    {
        return $option === 'SO_KEEPALIVE' ? SOL_SOCKET : SOL_TCP;
    }
}
