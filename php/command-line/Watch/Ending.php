<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

use Keepalive\CommandLine\Duration;
use Keepalive\CommandLine\Libc;
use Keepalive\Internal\Errno;

/**
 * How a connection ended.
 *
 * @internal
 */
final class Ending
{
    /** Exit statuses of `keepalive watch`, in addition to Application's. */
    public const TIMED_OUT = 3;
    public const RESET = 4;
    public const UNREACHABLE = 5;

    /** name => number (of most platforms; used without ext-sockets), exit status, meaning */
    private const ERRORS = [
        'ETIMEDOUT' => [110, self::TIMED_OUT, 'nothing was answered'],
        'ECONNRESET' => [104, self::RESET, 'the peer has reset the connection'],
        'EHOSTUNREACH' => [113, self::UNREACHABLE, 'the host cannot be reached'],
        'ENETUNREACH' => [101, self::UNREACHABLE, 'the network cannot be reached'],
        'ECONNREFUSED' => [111, self::UNREACHABLE, 'the port is closed'],
    ];

    /** "ETIMEDOUT", or a few words. */
    public string $name;
    /** "", or what it means. */
    public string $meaning;
    public int $status;

    private function __construct(string $name, string $meaning, int $status)
    {
        $this->name = $name;
        $this->meaning = $meaning;
        $this->status = $status;
    }

    public static function inWords(string $name, string $meaning = ''): self
    {
        return new self($name, $meaning, 0);
    }

    /** @param int $errno 0 for an orderly end */
    public static function of(int $errno): self
    {
        if ($errno === 0) {
            return self::inWords('orderly end, the peer has closed the connection');
        }
        foreach (self::ERRORS as $name => [$number]) {
            $known = Errno::number($name);
            if ($errno === ($known === -1 ? $number : $known)) {
                return self::named($name);
            }
        }
        return new self("errno $errno", Libc::describe($errno), 1);
    }

    public static function named(string $name): self
    {
        [, $status, $meaning] = self::ERRORS[$name];
        return new self($name, $meaning, $status);
    }

    /** In a line. @param Sample|null $last of the connection */
    public function after(?Sample $last): string
    {
        if ($this->meaning === '') {
            return $this->name;
        }
        if ($last === null || $last->silence === null) {
            return "$this->name: $this->meaning";
        }
        $silence = $last->silence + hrtime(true) / 1e9 - $last->at;
        return "$this->name after " . Duration::text($silence) . " of silence: $this->meaning";
    }
}
