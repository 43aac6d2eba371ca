<?php

declare(strict_types=1);

namespace Keepalive\Internal;

/** What ka_strerror() says. Generated from core/src/errors.rs by `make headers`; do not edit. */
final class ErrnoSentences
{
    public const BY_NAME = [
        'EACCES' => 'EACCES: a security policy (seccomp, a cgroup hook, SELinux) refused the system call.',
        'EAFNOSUPPORT' => 'EAFNOSUPPORT: this system has neither IPv4 nor IPv6 sockets, or a sandbox forbids them (systemd\'s RestrictAddressFamilies=).',
        'EBADF' => 'EBADF: not an open descriptor; it is negative, or was closed already.',
        'EINVAL' => 'EINVAL: a value is outside its range, or the kernel refused it; on Linux idle and interval are 1 to 32767 seconds, the count is 1 to 127 probes, and a user timeout is 0 to 2147483647 milliseconds.',
        'EMFILE' => 'EMFILE: this process has no free descriptor; close some, or raise RLIMIT_NOFILE.',
        'ENFILE' => 'ENFILE: the system has no free file; close some, or raise fs.file-max.',
        'ENOBUFS' => 'ENOBUFS: the kernel has no memory for it now.',
        'ENOMEM' => 'ENOMEM: the kernel has no memory for it now.',
        'ENOPROTOOPT' => 'ENOPROTOOPT: the socket is not TCP (UDP, raw or netlink, perhaps), or has no such option: MPTCP has no user timeout, nor have some systems.',
        'ENOTSOCK' => 'ENOTSOCK: the descriptor is a file, pipe or device, not a socket.',
        'EOPNOTSUPP' => 'EOPNOTSUPP: the socket is not TCP (unix or UDP, perhaps), or has no such option.',
        'EPERM' => 'EPERM: a security policy (seccomp, a cgroup hook) refused the system call.',
        'ERANGE' => 'ERANGE: the system\'s default (sysctl net.ipv4.tcp_keepalive_time, _intvl, _probes) is more, or less, than a socket accepts; give a value of your own.',
    ];
}
