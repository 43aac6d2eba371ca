<?php

declare(strict_types=1);

namespace DeadPeer;

use Keepalive\Settings;

/**
 * The cases, by name: a scenario each, and where it differs from the defaults below.
 *
 * They do not say what should happen: KernelRules does. Their timers are shorter than
 * 2 s where they can be, because the kernel's fire up to an eighth later than asked, and each such
 * delay adds to the next.
 */
final class Cases
{
    private const DEFAULTS = [
        'program' => 'stream', // stream, socket or c
        'tls' => false,
        'noDelay' => false, // TCP_NODELAY
        'ip' => 4,
        'ffi' => true, // false: ffi.enable=0, so that the package falls back to ext-sockets
        'waits' => 'option', // see StreamProgram
        'told' => true, // false: PHP does not say why the connection ended
        'alive' => false, // true: the far host answers every probe
        'stays' => false, // true: the connection must not end, even if the rules say that it may
        'tolerance' => 0.3, // seconds more than the rules say
        'long' => false, // true: takes minutes, and is played only if named
        'horizon' => 8.0, // how long to watch a connection that is to stay
    ];

    private const BLOCKED_IN_TLS = ['tls' => true, 'waits' => 'fread'];

    /** The promise is played for these times. */
    private const WITHIN = [6, 10, 30];

    private const GROUPS = [
        'Idle' => [
            'idle-1-1-3' => ['enable 1 1 3; cut'],
            'idle-2-1-3' => ['enable 2 1 3; cut'],
            'idle-1-2-2' => ['enable 1 2 2; cut'],
            'idle-within-6' => ['within 6; cut'],
            'idle-1-3-2' => ['enable 1 3 2; cut'],
            'idle-1-3-2-answered' => ['enable 1 3 2; wait 1500; cut', 'horizon' => 10.0],
            'idle-system' => ['system 1 1 3; enable 0 0 0; cut'],
            'idle-system-changed-later' => ['enable 1 0 0; system 1 1 3; cut'],
            'idle-without' => ['write; cut'],
        ],
        'Unacknowledged data' => [
            'data-keepalive-alone' => ['enable 1 1 3; cut; write', 'horizon' => 21.0],
            'data-user-timeout' => ['enable 1 1 3 4000; cut; write'],
            'data-arrives-late' => ['enable 1 1 3 4000; cut; write; 2s restore', 'alive' => true],
            'data-window-closed' => ['enable 1 1 3; fill'],
            'data-window-closed-user-timeout' => ['enable 1 1 3 4000; fill'],
        ],
        'Data while probing, and the user timeout' => [
            'probing-data' => ['enable 1 1 3; cut; 1.5s write', 'horizon' => 10.0],
            'probing-data-user-timeout' => ['enable 1 1 3 4000; cut; 1.5s write'],
            'probing-data-late' => ['enable 1 1 3 4000; cut; 3.5s write', 'horizon' => 9.0],
            'no-delay-far' => ['delay 100; enable 1 1 3 4000; cut; 3.8s write 12 390', 'noDelay' => true, 'horizon' => 15.0],
            'user-timeout-shorter-than-idle' => ['enable 2 1 9 500; cut'],
            'user-timeout-between' => ['enable 1 1 9 3500; cut'],
            'user-timeout-equal' => ['enable 1 1 3 4000; cut'],
            'user-timeout-longer' => ['enable 1 1 2 6000; cut'],
        ],
        'Settings changed on a live connection' => [
            'change-idle-raised' => ['enable 1 1 3; cut; 0.5s enable 2 1 3'],
            'change-idle-lowered' => ['enable 9 1 3; cut; 1.5s enable 1 1 3'],
            'change-idle-raised-probing' => ['enable 1 1 3; cut; 1.5s enable 3 1 3'],
            'change-interval-probing' => ['enable 1 2 3; cut; 1.5s enable - 1 -'],
            'change-count-probing' => ['enable 1 1 9; cut; 2.5s enable - - 2'],
            'change-nothing-probing' => ['enable 1 1 3; cut; 1.3s enable 1 1 3; 1.6s enable 1 1 3'],
            'change-disable' => ['enable 1 1 3; cut; 1.5s disable'],
            'change-disable-enable' => ['enable 1 1 3; cut; 1.5s disable; 3s enable 1 1 3'],
        ],
        'A live peer' => [
            'alive-1-1-3' => ['enable 1 1 3', 'alive' => true, 'horizon' => 8.5],
            'alive-1-2-1' => ['enable 1 2 1', 'alive' => true, 'horizon' => 8.5],
            'alive-within-6' => ['within 6', 'alive' => true, 'horizon' => 8.5],
            'alive-again' => ['enable 1 1 3; cut; 2.5s restore', 'horizon' => 8.5],
        ],
        // Scaled by 40: 240 s for a NAT, and as within 3600 was, is, and with a longer idle time.
        'A NAT on the way, that forgets' => [
            'nat-outlived' => ['nat 6; enable 2 2 26 41000', 'alive' => true, 'horizon' => 21.0],
            'nat-outlived-data' => ['nat 6; enable 2 2 26 41000; 20.5s write', 'alive' => true, 'horizon' => 22.5],
            'nat-forgets' => ['nat 6; enable 8 1 3 11000', 'horizon' => 14.0],
            'nat-forgets-interval' => ['nat 6; enable 3 7 2', 'horizon' => 28.0],
            'nat-forgets-data' => ['nat 6; enable 0 0 0 4000; 8s write', 'horizon' => 14.0],
        ],
        'Accepted connections' => [
            'accepted' => ['listen 1 1 3; connect; accept; cut'],
            'accepted-user-timeout' => ['listen 1 1 9 3000; connect; accept; cut; write'],
            'accepted-listener-changed-before' => ['listen 1 1 9; listen 1 1 2; connect; accept; cut'],
            'accepted-listener-changed-queued' => ['listen 1 1 3; connect; listen 9 9 9; accept; cut'],
            'accepted-listener-changed-after' => ['listen 1 1 3; connect; accept; listen 9 9 9; cut'],
            'accepted-set-again' => ['listen 9 9 9; connect; accept; enable 1 1 3; cut'],
            'accepted-died-queued' => ['listen 1 1 3; connect; cut; 6s accept'],
        ],
        'Not only silence' => [
            'rebooted' => ['enable 2 1 3; reboot'],
            'rebooted-while-probing' => ['enable 1 1 5; cut; 2.5s reboot'],
            'rebooted-data' => ['enable 9 1 3; cut; write; 1s reboot'],
            'unreachable' => ['enable 1 1 3; reject host-unreachable'],
            'unreachable-ipv6' => ['enable 1 1 3; reject host-unreachable', 'ip' => 6],
            'unreachable-data' => ['enable 1 1 3 4000; reject host-unreachable; write'],
            'unreachable-data-ipv6' => ['enable 1 1 3 4000; reject host-unreachable; write', 'ip' => 6],
            'unreachable-data-network' => ['enable 1 1 3 4000; reject no-route; write'],
            'unreachable-data-port' => ['enable 1 1 3 4000; reject port-unreachable; write'],
            'unplugged' => ['enable 1 1 3; unplug'],
            'unplugged-ipv6' => ['enable 1 1 3; unplug', 'ip' => 6],
            'unplugged-without' => ['unplug'],
            'unplugged-again' => ['enable 1 1 3; unplug; 2.5s restore', 'alive' => true],
            'down' => ['enable 1 1 3; down'],
            'down-ipv6' => ['enable 1 1 3; down', 'ip' => 6],
            'vanished' => ['enable 1 1 3; vanish'],
            // What cannot leave is not sent again; the kernel looks again every half second.
            'unplugged-data' => ['enable 1 1 3 4000; unplug; write', 'tolerance' => 1.2],
            'down-data' => ['enable 1 1 3 4000; down; write', 'tolerance' => 0.6],
            'down-data-ipv6' => ['enable 1 1 3 4000; down; write', 'tolerance' => 0.6, 'ip' => 6],
            'vanished-data' => ['enable 1 1 3 4000; vanish; write', 'tolerance' => 0.8],
            'vanished-data-ipv6' => ['enable 1 1 3 4000; vanish; write', 'tolerance' => 0.8, 'ip' => 6],
        ],
        'What PHP tells: TCP' => [
            'tcp-fread' => ['enable 1 1 3; cut', 'waits' => 'fread', 'told' => false],
            'tcp-select' => ['enable 1 1 3; cut', 'waits' => 'select', 'told' => false],
            'tcp-option' => ['enable 1 1 3; cut', 'waits' => 'option'],
            'tcp-loop' => ['enable 1 1 3; cut', 'waits' => 'loop', 'told' => false],
            'tcp-feof' => ['enable 1 1 3; cut', 'waits' => 'feof', 'told' => false],
            'tcp-data' => ['enable 1 1 3 4000; cut; write', 'waits' => 'fread', 'told' => false],
            'tcp-rebooted' => ['enable 1 1 3; reboot', 'waits' => 'fread', 'told' => false],
            'tcp-reset' => ['enable 1 1 3; ask reset', 'waits' => 'fread', 'told' => false],
            'tcp-closed' => ['enable 1 1 3; ask close', 'waits' => 'fread'],
            'tcp-closed-loop' => ['enable 1 1 3; ask close', 'waits' => 'loop'],
            'tcp-quiet' => ['enable 1 1 3', 'waits' => 'fread', 'horizon' => 2.5, 'alive' => true],
        ],
        'What PHP tells: TLS' => [
            'tls-fread' => ['enable 1 1 3; cut', 'tls' => true, 'waits' => 'fread'],
            'tls-select' => ['enable 1 1 3; cut', 'waits' => 'select', 'tls' => true],
            'tls-option' => ['enable 1 1 3; cut', 'tls' => true, 'waits' => 'option'],
            'tls-loop' => ['enable 1 1 3; cut', 'tls' => true, 'waits' => 'loop'],
            'tls-feof' => ['enable 1 1 3; cut', 'tls' => true, 'waits' => 'feof', 'told' => false],
            'tls-data' => ['enable 1 1 3 4000; cut; write', 'tls' => true, 'waits' => 'fread'],
            'tls-rebooted' => ['enable 1 1 3; reboot', 'tls' => true, 'waits' => 'fread'],
            'tls-reset' => ['enable 1 1 3; ask reset', 'tls' => true, 'waits' => 'fread'],
            'tls-closed' => ['enable 1 1 3; ask close', 'tls' => true, 'waits' => 'fread'],
            'tls-closed-loop' => ['enable 1 1 3; ask close', 'tls' => true, 'waits' => 'loop'],
            'tls-quiet' => ['enable 1 1 3', 'tls' => true, 'waits' => 'fread', 'horizon' => 2.5, 'alive' => true],
        ],
        'Streams by other ways' => [
            'ffi-ipv6' => ['enable 1 1 3; cut', 'ip' => 6],
            'ffi-data-ipv6' => ['enable 1 1 3 4000; cut; write', 'ip' => 6],
            'ffi-tls-ipv6' => ['enable 1 1 3; cut', 'ip' => 6, 'tls' => true],
            'fallback' => ['enable 1 1 3; cut', 'ffi' => false],
            'fallback-ipv6' => ['enable 1 1 3; cut', 'ffi' => false, 'ip' => 6],
            'fallback-data' => ['enable 1 1 3 4000; cut; write', 'ffi' => false],
            'fallback-data-ipv6' => ['enable 1 1 3 4000; cut; write', 'ffi' => false, 'ip' => 6],
            'fallback-accepted' => ['listen 1 1 3; connect; accept; cut', 'ffi' => false],
        ],
        'Socket objects, and C' => [
            'socket' => ['enable 1 1 3; cut', 'program' => 'socket'],
            'socket-ipv6' => ['enable 1 1 3; cut', 'program' => 'socket', 'ip' => 6],
            'socket-fallback' => ['enable 1 1 3; cut', 'program' => 'socket', 'ffi' => false],
            'socket-data' => ['enable 1 1 3 4000; cut; write', 'program' => 'socket', 'ffi' => false],
            'socket-rebooted' => ['enable 1 1 3; reboot', 'program' => 'socket'],
            'socket-closed' => ['enable 1 1 3; ask close', 'program' => 'socket'],
            'c' => ['enable 1 1 3; cut', 'program' => 'c'],
            'c-ipv6' => ['enable 1 1 3; cut', 'program' => 'c', 'ip' => 6],
            'c-data' => ['enable 1 1 3 4000; cut; write', 'program' => 'c'],
            'c-data-ipv6' => ['enable 1 1 3 4000; cut; write', 'program' => 'c', 'ip' => 6],
            'c-rebooted' => ['enable 1 1 3; reboot', 'program' => 'c'],
            'c-unreachable-data' => ['enable 1 1 3 4000; reject host-unreachable; write', 'program' => 'c'],
        ],
        // The kernel's longest timers fire up to two minutes late.
        'Nothing noticed' => [
            'classic-none' => ['cut', 'long' => true, 'horizon' => 900.0] + self::BLOCKED_IN_TLS,
            'classic-none-data' => ['cut; write', 'long' => true, 'horizon' => 1200.0, 'tolerance' => 130.0] + self::BLOCKED_IN_TLS,
            'classic-defaults' => ['enable 0 0 0; cut', 'long' => true, 'horizon' => 900.0] + self::BLOCKED_IN_TLS,
            'classic-defaults-data' => ['enable 0 0 0; cut; write', 'long' => true, 'horizon' => 1200.0, 'tolerance' => 130.0] + self::BLOCKED_IN_TLS,
            'classic-enable' => ['enable 60 10 6; cut', 'long' => true, 'horizon' => 150.0, 'tolerance' => 15.0] + self::BLOCKED_IN_TLS,
            'classic-enable-data' => ['enable 60 10 6 120000; cut; write', 'long' => true, 'horizon' => 150.0, 'tolerance' => 15.0] + self::BLOCKED_IN_TLS,
            'classic-within' => ['within 30; cut', 'long' => true, 'horizon' => 150.0, 'tolerance' => 3.8] + self::BLOCKED_IN_TLS,
            'classic-within-data' => ['within 30; cut; write', 'long' => true, 'horizon' => 150.0, 'tolerance' => 3.8] + self::BLOCKED_IN_TLS,
        ],
        'Noticed after hours' => [
            'hours-defaults' => ['enable 0 0 0; cut', 'long' => true, 'horizon' => 9000.0, 'tolerance' => 150.0] + self::BLOCKED_IN_TLS,
        ],
    ];

    /**
     * A write at each of twelve moments, and then all kinds of programs and networks at the worst one: just before
     * keepalive would end the connection.
     *
     * @return array<string, array{0: string}>
     */
    private static function promise(int $seconds): array
    {
        $silence = Settings::detectWithin($seconds)->detectionSeconds();
        $cases = ['before' => ["within $seconds; write; cut"]];
        foreach ([0, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9] as $part) {
            $cases[sprintf('%.1f', $part * $silence)] = [sprintf('within %d; cut; %.1fs write', $seconds, $part * $silence)];
        }
        foreach ([-0.12, -0.06, 0.05, 0.5] as $late) {
            $cases[sprintf('%.2f', $silence + $late)] = [sprintf('within %d; cut; %.2fs write', $seconds, $silence + $late)];
        }
        $last = sprintf('cut; %.2fs write', $silence - 0.1);
        $often = sprintf('%d 130', $seconds * 1000 / 130);
        // The last answer is half a second or more before this cut.
        $lossy = sprintf('lose 5; within %d; write 30 40; wait 700; cut; %.2fs write', $seconds, $silence - 0.9);
        $tls = ['tls' => true, 'waits' => 'fread'];
        $c = ['program' => 'c'];
        return $cases + [
            'often' => ["within $seconds; write 5 130; cut; 0.13s write $often"],
            'often-late' => ["within $seconds; $last $often"],
            'tls' => ["within $seconds; $last"] + $tls,
            'tls-often' => ["within $seconds; write 5 130; $last $often"] + $tls,
            'c' => ["within $seconds; $last"] + $c,
            'c-often' => ["within $seconds; write 5 130; $last $often"] + $c,
            'far' => ["delay 100; within $seconds; $last"],
            'far-at-once' => ["delay 100; within $seconds; write; cut"],
            'far-often' => ["delay 100; within $seconds; write 5 130; $last $often"],
            'far-tls' => ["delay 100; within $seconds; $last"] + $tls,
            'far-c' => ["delay 100; within $seconds; $last"] + $c,
            'lossy' => [$lossy],
            'lossy-tls' => [$lossy] + $tls,
            'lossy-c' => [$lossy] + $c,
            'lossy-far' => ["delay 100; $lossy"],
            'lossy-far-tls' => ["delay 100; $lossy $often"] + $tls,
        ];
    }

    /**
     * Outages that a connection lives through, as Outage works them out.
     *
     * @return array<string, array<string, mixed>>
     */
    private static function outages(): array
    {
        $cases = [];
        foreach ([6 => [1.7, null, 0.7], 10 => [2.5, 1.6, 2.4], 30 => [10, 7.5, 6], 60 => [20, 15, 12]] as $seconds => $outages) {
            [$answered, $any, $data] = $outages;
            $idle = Settings::detectWithin($seconds)->idle() * 1000;
            $cases += [
                "outage-$seconds-answered" => ["within $seconds; cut; {$answered}s restore"],
                "outage-$seconds-any" => $any === null ? null : [sprintf('within %d; wait %d; cut; %ss restore', $seconds, $idle - 80, $any)],
                "outage-$seconds-data" => ["within $seconds; cut; write; {$data}s restore"],
                "outage-$seconds-data-later" => [sprintf('within %d; cut; %.2fs write; %ss restore', $seconds, $data / 4, $data)],
                // Each repetition doubles the millisecond that a busy machine adds to the round trip.
                "outage-$seconds-data-far" => [
                    sprintf('delay 100; within %d; cut; write; %.1fs restore', $seconds, 0.8 * $data),
                    'tolerance' => $seconds / 20,
                ],
            ];
        }
        return array_filter($cases);
    }

    /** Groups of the promise, in docs/dead-peers.md. */
    public const PROMISE = ['Within 6 s', 'Within 10 s', 'Within 30 s', self::OUTAGES];

    private const OUTAGES = 'Outages that a connection lives through';

    /** Groups of the first table there. */
    public const TIMES = [
        'Idle',
        'Unacknowledged data',
        'Data while probing, and the user timeout',
        'Settings changed on a live connection',
        'A live peer',
        'A NAT on the way, that forgets',
        'Accepted connections',
        'Not only silence',
        'Streams by other ways',
        'Socket objects, and C',
    ];

    /** @return array<string, array<string, mixed>> with 'group' and 'scenario' */
    public static function all(): array
    {
        $cases = [];
        $groups = self::GROUPS;
        foreach (self::WITHIN as $seconds) {
            foreach (self::promise($seconds) as $name => $case) {
                $groups["Within $seconds s"]["within-$seconds-$name"] = $case + ['horizon' => $seconds + 2.0];
            }
        }
        foreach (self::outages() as $name => $case) {
            $groups[self::OUTAGES][$name] = $case + ['stays' => true, 'horizon' => 3 + 0.7 * (int) explode('-', $name)[1]];
        }
        foreach ($groups as $group => $members) {
            foreach ($members as $name => $case) {
                $cases[$name] = ['group' => $group, 'scenario' => $case[0]] + $case + self::DEFAULTS;
                unset($cases[$name][0]);
            }
        }
        return $cases;
    }

    /**
     * The cases of these names, "tls" meaning tls-fread, tls-select and so on; without a name all
     * that do not take long.
     *
     * @param string[] $names
     * @return array<string, array<string, mixed>>
     */
    public static function named(array $names): array
    {
        return array_filter(self::all(), static function (array $case, string $name) use ($names): bool {
            foreach ($names as $wanted) {
                if ($name === $wanted || strpos($name, "$wanted-") === 0) {
                    return true;
                }
            }
            return $names === [] && !$case['long'];
        }, ARRAY_FILTER_USE_BOTH);
    }

    /**
     * @param string[] $groups
     * @return array<string, array<string, mixed>>
     */
    public static function inGroups(array $groups): array
    {
        return array_filter(self::all(), static function (array $case) use ($groups): bool {
            return in_array($case['group'], $groups, true);
        });
    }
}
