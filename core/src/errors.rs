//! The one error type, and the English sentence for each errno that a caller can meet.

use std::ffi::CStr;
use std::io;

use libc::c_int;

/// A positive errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub c_int);

impl Errno {
    /// The errno that the last failed system call of this thread left.
    pub fn last() -> Self {
        io::Error::last_os_error().into()
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Self {
        Errno(error.raw_os_error().unwrap_or(libc::EIO))
    }
}

/// The C return value: the number on success, the negative errno on failure.
pub fn to_c(result: Result<c_int, Errno>) -> c_int {
    match result {
        Ok(value) => value,
        Err(Errno(errno)) => -errno,
    }
}

/// "ENAME: likely cause." for each errno that a caller can meet.
///
/// A table and not a `match`: on some platforms two names have the same number, and one arm of the
/// `match` would be unreachable.
pub const SENTENCES: &[(c_int, &CStr)] = &[
    (libc::EACCES, c"EACCES: a security policy (seccomp, a cgroup hook, SELinux) refused the system call."),
    (libc::EAFNOSUPPORT, c"EAFNOSUPPORT: this system has neither IPv4 nor IPv6 sockets, or a sandbox forbids them (systemd's RestrictAddressFamilies=)."),
    (libc::EBADF, c"EBADF: not an open descriptor; it is negative, or was closed already."),
    (libc::EFAULT, c"EFAULT: a null or invalid pointer was given."),
    (libc::EINVAL, c"EINVAL: a value is outside its range, or the kernel refused it; on Linux idle and interval are 1 to 32767 seconds, the count is 1 to 127 probes, and a user timeout is 0 to 2147483647 milliseconds."),
    (libc::EMFILE, c"EMFILE: this process has no free descriptor; close some, or raise RLIMIT_NOFILE."),
    (libc::ENFILE, c"ENFILE: the system has no free file; close some, or raise fs.file-max."),
    (libc::ENOBUFS, c"ENOBUFS: the kernel has no memory for it now."),
    (libc::ENOENT, c"ENOENT: no open descriptor of this process is that socket; it was closed, or belongs to another process."),
    (libc::ENOMEM, c"ENOMEM: the kernel has no memory for it now."),
    (libc::ENOPROTOOPT, c"ENOPROTOOPT: the socket is not TCP (UDP, raw or netlink, perhaps), or has no such option: MPTCP has no user timeout, nor have some systems."),
    (libc::ENOTRECOVERABLE, c"ENOTRECOVERABLE: a fault inside libkeepalive, please report it."),
    (libc::ENOTSOCK, c"ENOTSOCK: the descriptor is a file, pipe or device, not a socket."),
    (libc::EOPNOTSUPP, c"EOPNOTSUPP: the socket is not TCP (unix or UDP, perhaps), or has no such option."),
    (libc::EPERM, c"EPERM: a security policy (seccomp, a cgroup hook) refused the system call."),
    (libc::ERANGE, c"ERANGE: the system's default (sysctl net.ipv4.tcp_keepalive_time, _intvl, _probes) is more, or less, than a socket accepts; give a value of your own."),
];

/// The sentence for a value that one of the exported functions returned.
pub fn describe(error: c_int) -> &'static CStr {
    if error >= 0 {
        return c"Success: no error.";
    }
    SENTENCES.iter().find(|(errno, _)| Some(*errno) == error.checked_neg()).map_or(
        c"Unexpected error: see errno(3) for the number without its sign.",
        |(_, sentence)| sentence,
    )
}
