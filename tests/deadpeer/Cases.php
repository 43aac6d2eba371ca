<?php

declare(strict_types=1);

namespace DeadPeer;

/**
 * The cases, by name: a scenario each, and where it differs from the defaults below.
 *
 * What should come of it is in none of them: KernelRules says that. Their timers are shorter than
 * 2 s where they can be, because the kernel's fire up to an eighth later than asked, and each such
 * delay adds to the next.
 */
final class Cases
{
    private const DEFAULTS = [
        'program' => 'stream', // stream, socket or c
        'tls' => false,
        'ip' => 4,
        'ffi' => true, // false: ffi.enable=0, so that the package falls back to ext-sockets
        'waits' => 'option', // see StreamProgram
        'told' => true, // false: PHP does not say why the connection ended
        'alive' => false, // true: the far host answers every probe
        'tolerance' => 0.3, // seconds from what the rules say
        'long' => false, // true: takes minutes, and is played only if named
        'horizon' => 8.0, // how long to watch a connection that is to stay
    ];

    private const BLOCKED_IN_TLS = ['tls' => true, 'waits' => 'fread'];

    private const GROUPS = [
        'Idle' => [
            'idle-1-1-3' => ['enable 1 1 3; cut'],
            'idle-2-1-3' => ['enable 2 1 3; cut'],
            'idle-1-2-2' => ['enable 1 2 2; cut'],
            'idle-within-3' => ['within 3; cut'],
            'idle-within-5' => ['within 5; cut'],
            'idle-system' => ['system 1 1 3; enable 0 0 0; cut'],
            'idle-system-changed-later' => ['enable 1 0 0; system 1 1 3; cut'],
            'idle-without' => ['write; cut'],
        ],
        'Unacknowledged data' => [
            'data-keepalive-alone' => ['enable 1 1 3; cut; write', 'horizon' => 21.0],
            'data-user-timeout' => ['enable 1 1 3 4000; cut; write'],
            'data-within-3' => ['within 3; cut; write'],
            'data-within-4' => ['within 4; cut; write'],
            'data-arrives-late' => ['enable 1 1 3 4000; cut; write; 2s restore', 'alive' => true],
            'data-window-closed' => ['enable 1 1 3; fill'],
            'data-window-closed-user-timeout' => ['enable 1 1 3 4000; fill'],
        ],
        'Data while probing, and the user timeout' => [
            'probing-data' => ['enable 1 1 3; cut; 1.5s write', 'horizon' => 10.0],
            'probing-data-user-timeout' => ['enable 1 1 3 4000; cut; 1.5s write'],
            'probing-data-within-4' => ['within 4; cut; 3.5s write', 'horizon' => 9.0],
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
            'alive-within-3' => ['within 3', 'alive' => true, 'horizon' => 8.5],
            'alive-again' => ['enable 1 1 3; cut; 2.5s restore', 'horizon' => 8.5],
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
            'vanished-data' => ['enable 1 1 3 4000; vanish; write', 'tolerance' => 0.6],
            'vanished-data-ipv6' => ['enable 1 1 3 4000; vanish; write', 'tolerance' => 0.6, 'ip' => 6],
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

    /** The groups that the first table of docs/dead-peers.md shows. */
    public const TIMES = [
        'Idle',
        'Unacknowledged data',
        'Data while probing, and the user timeout',
        'Settings changed on a live connection',
        'A live peer',
        'Accepted connections',
        'Not only silence',
        'Streams by other ways',
        'Socket objects, and C',
    ];

    /** @return array<string, array<string, mixed>> with 'group' and 'scenario' */
    public static function all(): array
    {
        $cases = [];
        foreach (self::GROUPS as $group => $members) {
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
