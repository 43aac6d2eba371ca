<?php

declare(strict_types=1);

namespace DeadPeer;

/**
 * What happens to a connection, as text: "enable 1 1 3; cut; 1.5s write".
 *
 * Steps follow one another; one with a time happens that long after the network changed, or, where
 * it never does, after the step before the first timed one.
 *
 *   enable IDLE INTERVAL COUNT [USER_TIMEOUT_MS]   Keepalive::enable(); - leaves a value unchanged,
 *                                                  0 is the system's
 *   within SECONDS                                 Keepalive::apply(Settings::detectWithin())
 *   system IDLE INTERVAL COUNT                     sysctl net.ipv4.tcp_keepalive_time, _intvl, _probes
 *   disable                                        Keepalive::disable()
 *   write                                          one byte to the far host
 *   fill                                           the far host has stopped reading; as much as fits
 *   listen IDLE INTERVAL COUNT [USER_TIMEOUT_MS]   Keepalive::enable() on a listening socket
 *   connect                                        the far host connects to it
 *   accept                                         the near host takes that connection
 *   ask WHAT                                       the far host is asked to "close" or "reset"
 *   cut, reject REASON, vanish, unplug, down, restore, reboot   the network, see `hosts`
 */
final class Scenario
{
    private const NETWORK = ['cut', 'reject', 'vanish', 'unplug', 'down', 'reboot'];

    /** @var array<int, array{at: float, do: string, arguments: string[]}> */
    public array $steps = [];

    /** Index of the step at which the clock starts: the first that changes the network, or the last untimed one. */
    public int $zero = 0;

    public function __construct(string $text)
    {
        foreach (explode('; ', $text) as $index => $step) {
            if (!preg_match('/^(?:(?<at>[\d.]+)s )?(?<do>[a-z]+)(?<arguments>(?: [\w-]+)*)$/', $step, $part)) {
                throw new \DomainException("No step of a scenario: '$step'");
            }
            $this->steps[] = [
                'at' => (float) $part['at'],
                'do' => $part['do'],
                'arguments' => array_slice(explode(' ', $part['arguments']), 1),
            ];
            if ($part['at'] === '' && !$this->changesNetworkBefore($index)) {
                $this->zero = $index;
            }
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

    private function changesNetworkBefore(int $index): bool
    {
        return array_intersect(self::NETWORK, array_column(array_slice($this->steps, 0, $index), 'do')) !== [];
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
