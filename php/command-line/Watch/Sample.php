<?php

declare(strict_types=1);

namespace Keepalive\CommandLine\Watch;

use Keepalive\Keepalive;
use Keepalive\Settings;
use Keepalive\Status;

/**
 * What the kernel reported of one socket at one moment. Times are in seconds.
 *
 * @internal
 */
final class Sample
{
    /** When, on the clock of hrtime(). */
    public float $at;
    public int $fd;
    public string $local;
    public string $remote;
    public Settings $settings;
    public Status $status;
    /** The running timer, as ConnectionTable names it. */
    public string $timer;
    /** The time until that timer fires. */
    public float $timerIn;
    /** The time since anything came from the peer; null if there is no connection. */
    public ?float $silence;
    /** For how long sent data has waited for the peer to acknowledge it or to open its window. */
    public ?float $waiting = null;

    /**
     * @param array{local: string, remote: string, timer: string, timerAt: float, probes: int, ...} $entry of ConnectionTable
     * @param self|null $previous of the same socket
     */
    public function __construct(float $at, int $fd, array $entry, Settings $settings, Status $status, ?self $previous)
    {
        $this->at = $at;
        $this->fd = $fd;
        $this->local = $entry['local'];
        $this->remote = $entry['remote'];
        $this->timer = $entry['timer'];
        $this->timerIn = $entry['timerAt'] - $at;
        $this->settings = $settings;
        $this->status = $status;
        $this->silence = $status->lastReceivedMs() < 0 ? null : $status->lastReceivedMs() / 1000;

        $this->timerIn = max(0.0, $this->timerIn);
        $isIdle = $settings->enabled() && $status->unacked() === 0;
        if ($isIdle && $status->probes() > $entry['probes'] && in_array($this->timer, ['keepalive', 'none'], true)) {
            // It has fired since that entry was read, or was firing just then: the kernel starts it again afterwards.
            $this->timer = 'keepalive';
            $this->timerIn += $settings->interval();
        }
        $windowIsClosed = $this->timer === 'window probe';
        if ($this->isConnected() && ($status->unacked() > 0 || $windowIsClosed)) {
            // The kernel reports only when data was last sent, and counts repetitions as sending.
            $before = $previous === null || $previous->waiting === null ? null : $previous->waiting + $at - $previous->at;
            $this->waiting = $before ?? max(0, $status->lastSentMs()) / 1000;
            // An answer ends the waiting, unless it says that the window is still closed.
            $this->waiting = min($this->waiting, $windowIsClosed ? INF : $this->silence);
        }
    }

    /**
     * Asks the kernel.
     *
     * @param int $fd of this process
     * @param int $shown its number in the process that owns it
     * @param array{local: string, remote: string, timer: string, timerAt: float, probes: int, ...} $entry of ConnectionTable
     * @return self|null null: the connection has ended since that entry was read
     */
    public static function take(int $fd, int $shown, array $entry, ?self $previous): ?self
    {
        $settings = Keepalive::settings($fd);
        $status = Keepalive::status($fd);
        return $status->state() === 'CLOSE'
            ? null
            : new self(hrtime(true) / 1e9, $shown, $entry, $settings, $status, $previous);
    }

    /** Whether there is a connection to keep alive: not for a listener, nor while connecting, nor after the end. */
    public function isConnected(): bool
    {
        return $this->silence !== null;
    }

    /**
     * For programs: docs/running-processes.md explains the keys.
     *
     * @return array<string, mixed>
     */
    public function facts(): array
    {
        $forecast = new Forecast($this);
        $seconds = static function (?float $value): ?float {
            return $value === null ? null : round($value, 1);
        };
        return [
            'fd' => $this->fd,
            'local' => $this->local,
            'remote' => $this->status->state() === 'LISTEN' ? null : $this->remote,
            'state' => $this->status->state(),
            'enabled' => $this->settings->enabled(),
            'idle' => $this->settings->idle(),
            'interval' => $this->settings->interval(),
            'count' => $this->settings->count(),
            'user_timeout_ms' => $this->settings->userTimeoutMs(),
            'silent_for' => $seconds($this->silence),
            'unanswered_probes' => $this->status->probes(),
            'unacknowledged' => $this->status->unacked(),
            'unacknowledged_for' => $seconds($this->waiting),
            'gives_up_in' => $seconds($forecast->givesUpIn),
        ];
    }
}
