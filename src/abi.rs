//! Every exported function and type: the C ABI, whose comments are the manual in the header.
//!
//! Nothing happens here but the translation between C and the modules that do the work.

#![allow(non_camel_case_types)] // C's names
#![allow(clippy::doc_markdown)] // the comments become C's, where backticks mean nothing

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libc::c_int;

use crate::errors::{Errno, to_c};
use crate::{descriptors, errors, liveness, options, platform, sockets, sys};

/// For a value of ka_set(): what a fresh socket of this system has.
pub const KA_DEFAULT: c_int = 0;
/// For a value of ka_set(): what the socket has now.
pub const KA_UNCHANGED: c_int = -1;

/// Both sides may send. This and the following are TCP's states with Linux's numbers, as
/// ka_liveness.state and ka_socket.state report them.
pub const KA_STATE_ESTABLISHED: c_int = 1;
/// connect() has sent its SYN and waits for the answer.
pub const KA_STATE_SYN_SENT: c_int = 2;
/// A SYN came in and was answered.
pub const KA_STATE_SYN_RECV: c_int = 3;
/// This side has closed and waits for the other to acknowledge it.
pub const KA_STATE_FIN_WAIT1: c_int = 4;
/// This side has closed, the other has not.
pub const KA_STATE_FIN_WAIT2: c_int = 5;
/// Both sides have closed; late segments are waited out.
pub const KA_STATE_TIME_WAIT: c_int = 6;
/// Not connected: fresh, or ended.
pub const KA_STATE_CLOSE: c_int = 7;
/// The other side has closed, this one has not.
pub const KA_STATE_CLOSE_WAIT: c_int = 8;
/// Both have closed; the last acknowledgement is awaited.
pub const KA_STATE_LAST_ACK: c_int = 9;
/// Accepts connections.
pub const KA_STATE_LISTEN: c_int = 10;
/// Both have closed at the same moment.
pub const KA_STATE_CLOSING: c_int = 11;

/// The keepalive settings in effect on a socket, or on a fresh one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ka_settings {
    /// SO_KEEPALIVE: 1 on, 0 off. From ka_defaults() also a negative errno: the call failed.
    pub enabled: c_int,
    /// TCP_KEEPIDLE: seconds without anything from the peer before the first probe.
    /// -1 here and below where the platform has no such option.
    pub idle: c_int,
    /// TCP_KEEPINTVL: seconds from one unanswered probe to the next.
    pub intvl: c_int,
    /// TCP_KEEPCNT: unanswered probes after which the connection is given up.
    pub cnt: c_int,
}

/// What the kernel knows of a connection's health.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ka_liveness {
    /// TCP state, one of KA_STATE_...
    pub state: c_int,
    /// Keepalive probes, or probes of a closed window, that the peer has not answered so far.
    pub probes: c_int,
    /// Segments in flight: sent and not acknowledged. While there are any, keepalive sends no
    /// probes, and only TCP_USER_TIMEOUT ends the connection soon.
    pub unacked: c_int,
    /// Milliseconds since anything came from the peer, acknowledgements included.
    /// -1 here and below while nothing has come yet, and on sockets that are not connected.
    pub last_received_ms: c_int,
    /// Milliseconds since data was last sent; probes do not count.
    pub last_sent_ms: c_int,
    /// Smoothed round-trip time in microseconds.
    pub rtt_us: c_int,
}

/// One TCP socket of this process.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ka_socket {
    /// The descriptor.
    pub fd: c_int,
    /// TCP state, one of KA_STATE_..., or -1 where the platform does not tell.
    pub state: c_int,
    /// This end as "192.0.2.1:3306" or "[2001:db8::1]:3306", NUL terminated; empty while unbound.
    /// IPv4 connections of an IPv6 socket are written as IPv4.
    pub local: [c_char; 64],
    /// The other end, likewise, also while connecting to it; empty while there is none.
    pub remote: [c_char; 64],
}

/// This platform's numbers for setsockopt(2); -1 where it has no such option.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ka_option_numbers {
    /// SOL_SOCKET, the level of SO_KEEPALIVE.
    pub sol_socket: c_int,
    /// SO_KEEPALIVE.
    pub so_keepalive: c_int,
    /// IPPROTO_TCP, the level of the options below.
    pub ipproto_tcp: c_int,
    /// TCP_KEEPIDLE; on macOS TCP_KEEPALIVE, the same thing.
    pub tcp_keepidle: c_int,
    /// TCP_KEEPINTVL.
    pub tcp_keepintvl: c_int,
    /// TCP_KEEPCNT.
    pub tcp_keepcnt: c_int,
    /// TCP_USER_TIMEOUT.
    pub tcp_user_timeout: c_int,
}

/// Turns TCP keepalive on for a socket, with these values.
///
/// After `idle` seconds in which nothing came from the peer, the kernel probes it every `intvl`
/// seconds; after `cnt` unanswered probes the connection is given up and the program's next, or
/// waiting, call on the socket fails with ETIMEDOUT. A peer that is gone is thus noticed after
/// idle + intvl * cnt seconds. That holds for an idle connection: while sent data is
/// unacknowledged there are no probes, see ka_set_user_timeout().
///
/// idle   seconds, 1 to 32767 on Linux, or KA_DEFAULT, or KA_UNCHANGED
/// intvl  seconds, 1 to 32767 on Linux, or KA_DEFAULT, or KA_UNCHANGED
/// cnt    probes, 1 to 127 on Linux, or KA_DEFAULT, or KA_UNCHANGED
///
/// A listening socket can be set too: the connections it accepts inherit the values on Linux.
/// KA_DEFAULT is written to the socket as the number it stands for now; the socket does not follow
/// the sysctl afterwards, because the kernel knows no way back.
///
/// Returns 0, or a negative errno:
///   -EINVAL                    a value is out of range; no system call was made
///   -EBADF, -ENOTSOCK          fd is not open, or is no socket
///   -ENOPROTOOPT, -EOPNOTSUPP  the socket is not TCP, or the platform lacks an option
///   -EMFILE, -ENFILE           for KA_DEFAULT only: no descriptor for the socket that
///                              ka_defaults() opens
///   -ERANGE                    for KA_DEFAULT only: the system's default (a sysctl above the limits
///                              here) cannot be written, and is not what the socket has already
///   -EPERM, -EACCES            a security policy refused the call
///
/// Refused values and sockets that are not TCP stay exactly as they were. The calls are, in this
/// order, setsockopt of TCP_KEEPINTVL, TCP_KEEPCNT, TCP_KEEPIDLE and SO_KEEPALIVE, without those
/// that are KA_UNCHANGED. Should a security policy refuse one of them after others were accepted,
/// those keep their new value, keepalive is not switched on, and if it was on it stays on.
///
/// Example: ka_set(fd, 60, 10, 6) notices within two minutes.
#[unsafe(no_mangle)]
pub extern "C" fn ka_set(fd: c_int, idle: c_int, intvl: c_int, cnt: c_int) -> c_int {
    returning_zero(|| options::set(fd, idle, intvl, cnt))
}

/// The settings that a fresh TCP socket of this system has.
///
/// Read from the kernel at every call, so it follows sysctl (net.ipv4.tcp_keepalive_time, _intvl,
/// _probes) and network namespaces. On Linux usually 0, 7200, 75, 9.
///
/// Returns the settings. On failure `enabled` is a negative errno (-EMFILE, -ENFILE, -ENOBUFS,
/// -ENOMEM, -EACCES, -EPERM, or -EAFNOSUPPORT on a host without IPv4 and IPv6) and the rest is -1.
#[unsafe(no_mangle)]
pub extern "C" fn ka_defaults() -> ka_settings {
    contained(options::defaults).unwrap_or_else(|Errno(errno)| ka_settings {
        enabled: -errno,
        idle: -1,
        intvl: -1,
        cnt: -1,
    })
}

/// Reads back from the kernel what is in effect on a socket.
///
/// Options never set on the socket show the system's default. `enabled` being 0, the others are
/// what would hold once it is switched on.
///
/// Returns 0, or a negative errno: -EBADF, -ENOTSOCK, -ENOPROTOOPT or -EOPNOTSUPP as ka_set(),
/// -EFAULT when `settings` is NULL. On failure `settings` is not written.
#[unsafe(no_mangle)]
pub extern "C" fn ka_get(fd: c_int, settings: Option<&mut MaybeUninit<ka_settings>>) -> c_int {
    filling(settings, || options::get(fd))
}

/// Turns keepalive off (SO_KEEPALIVE); the other values stay for the next time.
///
/// Returns 0, or a negative errno: -EBADF, -ENOTSOCK, -ENOPROTOOPT or -EOPNOTSUPP as ka_set().
#[unsafe(no_mangle)]
pub extern "C" fn ka_disable(fd: c_int) -> c_int {
    returning_zero(|| options::disable(fd))
}

/// Limits how long sent data may stay unacknowledged (TCP_USER_TIMEOUT).
///
/// Without it, a connection with data in flight is given up only after some 15 minutes, whatever
/// ka_set() said. With keepalive on, this timeout also replaces `cnt`: choose
/// (idle + intvl * cnt) * 1000 and both promises agree. A peer that keeps its receive window
/// closed that long is dropped too.
///
/// timeout_ms  milliseconds, 0 to 2147483647; 0 is the kernel's own limit, and the default
///
/// Returns 0, or a negative errno: -EINVAL for a negative timeout, -ENOPROTOOPT where the platform
/// has no such option, -ENOPROTOOPT or -EOPNOTSUPP on MPTCP, where Linux has none, else as ka_set().
#[unsafe(no_mangle)]
pub extern "C" fn ka_set_user_timeout(fd: c_int, timeout_ms: c_int) -> c_int {
    returning_zero(|| options::set_user_timeout(fd, timeout_ms))
}

/// The user timeout of a socket, see ka_set_user_timeout().
///
/// Returns milliseconds, 0 for the kernel's own limit, or a negative errno as
/// ka_set_user_timeout() does.
#[unsafe(no_mangle)]
pub extern "C" fn ka_get_user_timeout(fd: c_int) -> c_int {
    returning(|| options::get_user_timeout(fd))
}

/// What the kernel knows of a connection's health (TCP_INFO).
///
/// It sends nothing and changes nothing. Linux only.
///
/// Returns 0, or a negative errno: -EBADF, -ENOTSOCK, -ENOPROTOOPT or -EOPNOTSUPP as ka_set(),
/// -ENOPROTOOPT on other platforms, -EFAULT when `liveness` is NULL. On failure `liveness` is not
/// written.
#[unsafe(no_mangle)]
pub extern "C" fn ka_status(fd: c_int, liveness: Option<&mut MaybeUninit<ka_liveness>>) -> c_int {
    filling(liveness, || liveness::status(fd))
}

/// The open descriptor of this process whose fstat(2) has this device and inode.
///
/// For callers that hold a socket inside something that shows them its fstat and not its number.
/// Where a socket has several descriptors (dup(2)), any of them is returned: options belong to the
/// socket. Takes a few system calls for a socket just opened, for one that was found before, and
/// for sockets asked for one after the other; else, also when a new socket has taken a number
/// that was given back among many open ones, one fstat for each open descriptor at most.
///
/// Returns the descriptor, 0 or larger, or -ENOENT.
#[unsafe(no_mangle)]
pub extern "C" fn ka_find(dev: u64, ino: u64) -> c_int {
    returning(|| descriptors::find(dev, ino))
}

/// The TCP sockets that this process has open: listening, connecting, connected or unconnected.
///
/// sockets   room for `capacity` sockets; may be NULL, which counts only
/// capacity  nothing is written past it
///
/// Other threads may open and close sockets meanwhile: each socket is as it was when it was looked
/// at, and its descriptor may be another's by the time it is used.
///
/// Returns how many there are, which may be more than `capacity`.
#[allow(clippy::missing_safety_doc)] // "room for `capacity` sockets" is the condition
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ka_sockets(sockets: *mut ka_socket, capacity: usize) -> c_int {
    // SAFETY: the caller's promise above, and this call alone uses the slice.
    let places = unsafe { sys::caller_array(sockets, capacity) };
    returning(|| Ok(sockets::list(places)))
}

/// This platform's option numbers, for programs that cannot include its headers.
#[unsafe(no_mangle)]
pub extern "C" fn ka_options() -> ka_option_numbers {
    ka_option_numbers {
        sol_socket: libc::SOL_SOCKET,
        so_keepalive: libc::SO_KEEPALIVE,
        ipproto_tcp: libc::IPPROTO_TCP,
        tcp_keepidle: platform::TCP_KEEPIDLE,
        tcp_keepintvl: platform::TCP_KEEPINTVL,
        tcp_keepcnt: platform::TCP_KEEPCNT,
        tcp_user_timeout: platform::TCP_USER_TIMEOUT,
    }
}

/// An English sentence for what a function of this library returned: "ENAME: likely cause."
///
/// error  the value as returned, negative errno; 0 and counts are "Success: no error."
///
/// Returns a static string, never NULL, not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ka_strerror(error: c_int) -> *const c_char {
    errors::describe(error).as_ptr()
}

/// The version of the library that is loaded, "1.0.0"; the header's is KA_VERSION_MAJOR, _MINOR
/// and _PATCH.
///
/// Returns a static string, not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ka_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

fn returning_zero(work: impl FnOnce() -> Result<(), Errno>) -> c_int {
    returning(|| work().map(|()| 0))
}

fn returning(work: impl FnOnce() -> Result<c_int, Errno>) -> c_int {
    to_c(contained(work))
}

/// Writes the result to where the caller wants it, or nothing at all.
fn filling<T>(
    place: Option<&mut MaybeUninit<T>>,
    work: impl FnOnce() -> Result<T, Errno>,
) -> c_int {
    let Some(place) = place else { return to_c(Err(Errno(libc::EFAULT))) };
    returning_zero(|| {
        place.write(work()?);
        Ok(())
    })
}

/// Keeps a panic, which would be a fault of this library, from crossing into C.
fn contained<T>(work: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Errno(libc::ENOTRECOVERABLE)))
}

#[cfg(test)]
mod tests {
    use super::{Errno, returning, returning_zero};

    #[test]
    fn a_panic_does_not_cross_into_c() {
        assert_eq!(returning(|| panic!("on purpose")), -libc::ENOTRECOVERABLE);
        assert_eq!(returning_zero(|| Err(Errno(libc::EBADF))), -libc::EBADF);
    }
}
