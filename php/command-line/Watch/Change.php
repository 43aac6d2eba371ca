<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

/**
 * Something that happened to a socket: a word for programs, a line for people.
 *
 * @internal
 */
final class Change
{
    /** Words; docs/running-processes.md explains them. */
    public const OPENED = 'opened';
    public const SETTINGS = 'settings';
    public const FORECAST = 'forecast';
    public const STATE = 'state';
    public const HEARD = 'heard';
    public const PROBE = 'probe';
    public const UNACKNOWLEDGED = 'unacknowledged';
    public const ACKNOWLEDGED = 'acknowledged';
    public const ENDED = 'ended';

    public string $event;
    public string $text;

    public function __construct(string $event, string $text)
    {
        $this->event = $event;
        $this->text = $text;
    }
}
