<?php

declare(strict_types=1);

namespace Keepalive\CommandLine;

/**
 * Why this process may not borrow another one's sockets: the kernel says only EPERM.
 *
 * @internal
 */
final class Permission
{
    /** Of capabilities(7). */
    private const CAP_SYS_PTRACE = 1 << 19;

    /** A sentence: the likely cause, and what to do. */
    public static function missing(int $pid): string
    {
        [$own, $other] = [Process::status('self'), Process::status((string) $pid)];
        $isFiltered = ($own['Seccomp'] ?? '0') !== '0';
        if ((hexdec($own['CapEff'] ?? '0') & self::CAP_SYS_PTRACE) !== 0) {
            return 'This program has CAP_SYS_PTRACE, but not for that process: it is outside of this user namespace (a '
                . 'container), or a security module such as AppArmor forbids it. Try on the host.';
        }
        [$uid, $otherUid] = [strtok($own['Uid'] ?? '', "\t"), strtok($other['Uid'] ?? '', "\t")];
        if ($otherUid !== false && $uid !== $otherUid) {
            return "It runs as the user with number $otherUid, this program as $uid: try as root (CAP_SYS_PTRACE).";
        }
        $scope = trim((string) @file_get_contents('/proc/sys/kernel/yama/ptrace_scope'));
        if ((int) $scope > 0) {
            return "/proc/sys/kernel/yama/ptrace_scope is $scope: users may not debug their processes here. Try as root "
                . '(CAP_SYS_PTRACE).';
        }
        if ($isFiltered) {
            return 'This program runs under seccomp, as in a container, which may forbid it: start a Docker container '
                . 'with --cap-add SYS_PTRACE, or try on the host.';
        }
        return 'It runs as the same user, but the kernel protects it: it is setuid, has capabilities, or is not dumpable '
            . '(prctl(2)). Try as root (CAP_SYS_PTRACE).';
    }
}
