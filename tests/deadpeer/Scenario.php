<?php

declare(strict_types=1);

namespace DeadPeer;

/**
 * What happens to a connection, as text: "enable 1 1 3; cut; 1.5s write".
 *
 * Steps follow one another; `delay` and `nat` come first, before the connection. One with a time happens that long after the network changed, or, where
 * it never does, after the step before the first timed one.
 *
 *   enable IDLE INTERVAL COUNT [USER_TIMEOUT_MS]   Keepalive::enable(); - leaves a value unchanged,
 *                                                  0 is the system's
 *   within SECONDS                                 Keepalive::apply(Settings::detectWithin())
 *   system IDLE INTERVAL COUNT                     sysctl net.ipv4.tcp_keepalive_time, _intvl, _probes
 *   disable                                        Keepalive::disable()
 *   write [TIMES MILLISECONDS]                     one byte to the far host; again every so many ms
 *   wait MILLISECONDS                              nothing, before the first timed step
 *   fill                                           the far host has stopped reading; as much as fits
 *   listen IDLE INTERVAL COUNT [USER_TIMEOUT_MS]   Keepalive::enable() on a listening socket
 *   connect                                        the far host connects to it
 *   accept                                         the near host takes that connection
 *   ask WHAT                                       the far host is asked to "close" or "reset"
 *   cut, reject REASON, vanish, unplug, down, restore, reboot, lose PERCENT, delay MS, nat SECONDS
 *                                                  the network, see `hosts`
 */
final class Scenario
{
    private const NETWORK = ['cut', 'reject', 'vanish', 'unplug', 'down', 'reboot'];

    /** @var array<int, array{at: float, timed: bool, do: string, arguments: string[]}> */
    public array $steps = [];

    /** Index of the step at which the clock starts: the first that changes the network, or the last untimed one. */
    public int $zero = 0;

    public function __construct(string $text)
    {
        foreach (explode('; ', $text) as $step) {
            if (!preg_match('/^(?:(?<at>[\d.]+)s )?(?<do>[a-z]+)(?<arguments>(?: [\w-]+)*)$/', $step, $part)) {
                throw new \DomainException("No step of a scenario: '$step'");
            }
            $arguments = array_slice(explode(' ', $part['arguments']), 1);
            [$times, $apart] = $part['do'] === 'write' ? $arguments + [1, 0] : [1, 0];
            for ($i = 0; $i < (int) $times; $i++) {
                if ($i > 0 && $part['at'] === '') {
                    $this->add(0.0, false, 'wait', [(string) $apart]);
                }
                $at = (float) $part['at'] + $i * $apart / 1000;
                $this->add($at, $part['at'] !== '', $part['do'], $times > 1 ? [] : $arguments);
            }
        }
        $this->timeUntimed();
    }

    /** @param string[] $arguments */
    private function add(float $at, bool $timed, string $do, array $arguments): void
    {
        if (!$timed && array_intersect(self::NETWORK, array_column($this->steps, 'do')) === []) {
            $this->zero = count($this->steps);
        }
        $index = count($this->steps);
        while ($timed && $this->steps[$index - 1]['at'] > $at) {
            $index--; // repeated writes go on among later steps
        }
        array_splice($this->steps, $index, 0, [['at' => $at, 'timed' => $timed, 'do' => $do, 'arguments' => $arguments]]);
    }

    /** Steps before the start of the clock take as long as they wait, and have ended when it starts. */
    private function timeUntimed(): void
    {
        $at = -0.001;
        for ($index = $this->zero - 1; $index >= 0; $index--) {
            $step = $this->steps[$index];
            $at -= $step['do'] === 'wait' ? $step['arguments'][0] / 1000 : 0;
            $this->steps[$index]['at'] = $at;
        }
    }

    /**
     * The same steps at other times.
     *
     * @param float[] $times one for each step, or for the first ones
     */
    public function at(array $times): self
    {
        $scenario = clone $this;
        foreach ($times as $index => $time) {
            $scenario->steps[$index]['at'] = $time;
        }
        return $scenario;
    }

    public function has(string $action): bool
    {
        return in_array($action, array_column($this->steps, 'do'), true);
    }

    /**
     * The values of an `enable`, `listen` or `within` step; null and -1 leave one unchanged.
     *
     * @param string[] $arguments
     * @return array{int, int, int, ?int}
     */
    public static function values(string $action, array $arguments): array
    {
        if ($action === 'within') {
            $settings = \Keepalive\Settings::detectWithin((int) $arguments[0]);
            return [$settings->idle(), $settings->interval(), $settings->count(), $settings->userTimeoutMs()];
        }
        $number = static function (string $argument): int {
            return $argument === '-' ? \Keepalive\Keepalive::UNCHANGED : (int) $argument;
        };
        [$idle, $interval, $count] = array_map($number, $arguments);
        return [$idle, $interval, $count, isset($arguments[3]) ? (int) $arguments[3] : null];
    }
}
