<?php

declare(strict_types=1);

namespace DeadPeer;

/**
 * How late the kernel's timers are: never early, and by up to an eighth (kernel/time/timer.c).
 *
 * The timer wheel counts in ticks, and the longer a timer is, the coarser: up to 63 ticks exactly,
 * then in steps of 8, 64, 512 and so on. A timer fires with the first step after its time.
 */
final class Lateness
{
    private const TICKS_A_SECOND = [100, 250, 300, 1000]; // what kernels are built with

    /** @var callable(float, float): float time now, seconds asked for: when it fires */
    private $rule;

    private function __construct(callable $rule)
    {
        $this->rule = $rule;
    }

    public function fires(float $now, float $seconds): float
    {
        return ($this->rule)($now, max(0.0, $seconds));
    }

    public static function none(): self
    {
        return new self(static function (float $now, float $seconds): float {
            return $now + $seconds;
        });
    }

    /** A kernel with so many ticks a second, started $phase ticks before the case. */
    public static function wheel(int $hz, int $phase): self
    {
        return new self(static function (float $now, float $seconds) use ($hz, $phase): float {
            [$ticks, $shift] = self::ticks($seconds, $hz);
            $expires = (int) floor($now * $hz) + $phase + $ticks;
            return (((($expires >> $shift) + 1) << $shift) - $phase) / $hz;
        });
    }

    public static function randomWheel(): self
    {
        return self::wheel(self::TICKS_A_SECOND[mt_rand(0, 3)], mt_rand(0, 1 << 24));
    }

    /**
     * Kernels whose timers are as late as they can be, each of them.
     *
     * @return self[]
     */
    public static function most(): array
    {
        return array_map(static function (int $hz): self {
            return new self(static function (float $now, float $seconds) use ($hz): float {
                [$ticks, $shift] = self::ticks($seconds, $hz);
                return $now + ($ticks + (1 << $shift)) / $hz;
            });
        }, self::TICKS_A_SECOND);
    }

    /** @return array{int, int} a timer in ticks, and the exponent of the steps that it is counted in */
    private static function ticks(float $seconds, int $hz): array
    {
        $ticks = (int) ceil($seconds * $hz - 1e-6);
        $shift = 0;
        while ($ticks >= 63 << $shift) {
            $shift += 3;
        }
        return [$ticks, $shift];
    }
}
