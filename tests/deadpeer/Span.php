<?php

declare(strict_types=1);

namespace DeadPeer;

/** The results that a scenario may have by the kernel's rules: its timers are a little late, by an unknown time. */
final class Span
{
    /** When the program is told at the earliest and at the latest; null if the connection stays. */
    public ?float $earliest = null;
    public ?float $latest = null;

    /** Whether the connection may stay: with $earliest it is a matter of chance. */
    public bool $mayStay = false;

    /** The errno that it ends with then. */
    public int $error = 0;

    /** @var float[][] when probes may leave after the clock has started: one row for each lateness tried */
    private array $probes = [];

    /** @param array{ip?: int} $case see KernelRules */
    public function __construct(Scenario $scenario, float $horizon, array $case)
    {
        mt_srand(1); // the same for each run
        for ($i = 0; $i < 200; $i++) {
            $rules = new KernelRules($scenario, $horizon, $case, Lateness::randomWheel());
            $seen = $rules->seen;
            $this->probes[] = array_values(array_filter($rules->probes, static function (float $time): bool {
                return $time >= 0;
            }));
            if ($seen === null) {
                $this->mayStay = true;
            } else {
                $this->earliest = min($this->earliest ?? INF, $seen);
                $this->latest = max($this->latest ?? 0.0, $seen);
                $this->error = $rules->error;
            }
        }
    }

    /**
     * What is wrong with probes that left at these times; null if the rules explain them.
     *
     * @param float[] $times
     */
    public function complaint(array $times, float $tolerance): ?string
    {
        $numbers = [];
        foreach ($this->probes as $row) {
            $numbers[count($row)] = count($row);
            if (count($row) === count($times) && self::worstDifference($row, $times) <= $tolerance) {
                return null;
            }
        }
        sort($numbers);
        return in_array(count($times), $numbers, true)
            ? 'probes at other times: ' . implode(' ', $times)
            : count($times) . ' probes, not ' . implode(' or ', $numbers);
    }

    /**
     * From one to the next, because each starts the timer of the next.
     *
     * @param float[] $row
     * @param float[] $times
     */
    private static function worstDifference(array $row, array $times): float
    {
        $worst = 0.0;
        foreach ($times as $index => $time) {
            $worst = max($worst, abs($time - ($times[$index - 1] ?? 0) - $row[$index] + ($row[$index - 1] ?? 0)));
        }
        return $worst;
    }
}
