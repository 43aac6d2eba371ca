<?php

declare(strict_types=1);

namespace DeadPeer;

use Keepalive\Settings;

/** The longest outage that a connection lives through by the kernel's rules, however late its timers are. */
final class Outage
{
    private int $within;
    private string $before;

    /** @var Lateness[] */
    private array $lateness;

    /** @param int $delay milliseconds that a packet takes each way; 0 is a local network */
    public function __construct(int $within, int $delay)
    {
        $this->within = $within;
        $this->before = ($delay > 0 ? "delay $delay; " : '') . "within $within; ";
        mt_srand(1);
        $this->lateness = array_merge([Lateness::none()], Lateness::most());
        for ($i = 0; $i < 10; $i++) {
            $this->lateness[] = Lateness::randomWheel();
        }
    }

    /** Without data, the peer's last answer being its last segment before the outage. */
    public function sinceAnswer(): float
    {
        return $this->longest(static function (float $outage): array {
            return [sprintf('cut; %.3Fs restore', $outage)];
        });
    }

    /** Without data, from any moment between two probes. */
    public function idle(): float
    {
        $idle = Settings::detectWithin($this->within)->idle();
        return $this->longest(static function (float $outage) use ($idle): array {
            return array_map(static function (int $part) use ($outage, $idle): string {
                return sprintf('wait %d; cut; %.3Fs restore', 1000 * $idle * (1 + $part / 8), $outage);
            }, range(0, 10));
        });
    }

    /** With data written at the beginning, or at any moment of it. */
    public function withData(): float
    {
        return $this->longest(static function (float $outage): array {
            return array_map(static function (int $part) use ($outage): string {
                return sprintf('cut; %.3Fs write; %.3Fs restore', $outage * $part / 8, $outage);
            }, range(0, 7));
        });
    }

    /** @param callable(float): string[] $scenarios of an outage of so many seconds */
    private function longest(callable $scenarios): float
    {
        [$lives, $dies] = [0.0, (float) $this->within];
        while ($dies - $lives > $this->within / 500) {
            $outage = ($lives + $dies) / 2;
            if ($this->livesThroughAll($scenarios($outage))) {
                $lives = $outage;
            } else {
                $dies = $outage;
            }
        }
        return $lives;
    }

    /** @param string[] $scenarios */
    private function livesThroughAll(array $scenarios): bool
    {
        foreach ($scenarios as $text) {
            $scenario = new Scenario($this->before . $text);
            foreach ($this->lateness as $late) {
                if ((new KernelRules($scenario, 2.0 * $this->within, [], $late))->dies !== null) {
                    return false;
                }
            }
        }
        return true;
    }
}
