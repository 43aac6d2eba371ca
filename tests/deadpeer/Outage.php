<?php

declare(strict_types=1);

namespace DeadPeer;

use Keepalive\Settings;

/** The longest outage that a connection survives by the kernel's rules, also with the latest timers. */
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

    /** @param string $kind see scenarios() */
    public function longest(string $kind): float
    {
        [$lives, $dies] = [0.0, (float) $this->within];
        while ($dies - $lives > $this->within / 500) {
            $outage = ($lives + $dies) / 2;
            if ($this->isLivedThrough($kind, $outage)) {
                $lives = $outage;
            } else {
                $dies = $outage;
            }
        }
        return $lives;
    }

    public function isLivedThrough(string $kind, float $seconds): bool
    {
        foreach ($this->scenarios($kind, $seconds) as $text) {
            $scenario = new Scenario($this->before . $text);
            foreach ($this->lateness as $late) {
                if ((new KernelRules($scenario, 2.0 * $this->within, [], $late))->dies !== null) {
                    return false;
                }
            }
        }
        return true;
    }

    /** @return string[] */
    private function scenarios(string $kind, float $seconds): array
    {
        $outage = sprintf('%.3Fs restore', $seconds);
        $idle = Settings::detectWithin($this->within)->idle();
        switch ($kind) {
            case 'answered': // nothing is sent; the outage begins when the peer has just answered
                return ["cut; $outage"];
            case 'idle': // nothing is sent; it begins at any moment between two probes
                return array_map(static function (int $part) use ($outage, $idle): string {
                    return sprintf('wait %d; cut; %s', 1000 * $idle * (1 + $part / 8), $outage);
                }, range(0, 10));
            default: // data is written at its beginning or later
                return array_map(static function (int $part) use ($outage, $seconds): string {
                    return sprintf('cut; %.3Fs write; %s', $seconds * $part / 8, $outage);
                }, range(0, 7));
        }
    }
}
