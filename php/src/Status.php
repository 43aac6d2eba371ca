<?php

declare(strict_types=1);

namespace Keepalive;

/** What the kernel knew of a connection's health when it was asked. Immutable. */
final class Status implements \JsonSerializable
{
    /** @internal The numbers of Linux's TCP states, KA_STATE_... in keepalive.h. */
    public const STATES = [
        1 => 'ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'FIN_WAIT1', 'FIN_WAIT2', 'TIME_WAIT',
        7 => 'CLOSE', 'CLOSE_WAIT', 'LAST_ACK', 'LISTEN', 'CLOSING',
    ];

    private int $state;
    private int $probes;
    private int $unacked;
    private int $lastReceivedMs;
    private int $lastSentMs;
    private int $rttUs;

    /** @internal Keepalive::status() makes these. */
    public function __construct(int $state, int $probes, int $unacked, int $lastReceivedMs, int $lastSentMs, int $rttUs)
    {
        $this->state = $state;
        $this->probes = $probes;
        $this->unacked = $unacked;
        $this->lastReceivedMs = $lastReceivedMs;
        $this->lastSentMs = $lastSentMs;
        $this->rttUs = $rttUs;
    }

    /** The TCP state by name: 'ESTABLISHED', 'SYN_SENT', 'CLOSE_WAIT', 'LISTEN' and so on. */
    public function state(): string
    {
        return self::STATES[$this->state] ?? 'UNKNOWN';
    }

    /** Whether this host believes that the connection is open. */
    public function isEstablished(): bool
    {
        return $this->state() === 'ESTABLISHED';
    }

    /** Keepalive probes, or probes of a closed window, that the peer has not answered so far. */
    public function probes(): int
    {
        return $this->probes;
    }

    /** Segments sent and not acknowledged. While there are any, keepalive sends no probes. */
    public function unacked(): int
    {
        return $this->unacked;
    }

    /** Milliseconds since anything came from the peer, ACKs included; -1 if nothing has come yet. */
    public function lastReceivedMs(): int
    {
        return $this->lastReceivedMs;
    }

    /** Milliseconds since data was last sent, or since connecting; probes do not count. -1 while not connected. */
    public function lastSentMs(): int
    {
        return $this->lastSentMs;
    }

    /** Smoothed round-trip time in microseconds; -1 while not connected. */
    public function rttUs(): int
    {
        return $this->rttUs;
    }

    /** @return array{state: string, probes: int, unacked: int, lastReceivedMs: int, lastSentMs: int, rttUs: int} */
    public function jsonSerialize(): array
    {
        return ['state' => $this->state()] + get_object_vars($this);
    }
}
