//! Every exported function of the C ABI; the comments are the manual in the header.
//!
//! Only the translation between C and the core happens here. `core/src/types.rs` has the types.

#![allow(clippy::doc_markdown)] // the comments become C's, where backticks mean nothing

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use keepalive_core::errors::{Errno, describe, to_c};
use keepalive_core::types::{ka_liveness, ka_option_numbers, ka_settings, ka_socket};
use keepalive_core::{descriptors, liveness, options, platform, promise, sockets, sys};
use libc::c_int;

/// Turns TCP keepalive on for a socket, with these values.
///
/// When nothing has come from the peer for `idle` seconds, the kernel probes it every `intvl`
/// seconds. After `cnt` unanswered probes it ends the connection: the call that waits on the
/// socket, or the next one, fails with ETIMEDOUT. On an idle connection, a dead peer is noticed
/// after max(idle, intvl) + intvl * cnt seconds. While sent data is unacknowledged there are no
/// probes, and the program waits for some 15 minutes: ka_apply() with ka_detect_within() covers
/// that too.
///
/// idle   seconds, 1 to 32767 on Linux, or KA_DEFAULT, or KA_UNCHANGED
/// intvl  seconds, 1 to 32767 on Linux, or KA_DEFAULT, or KA_UNCHANGED
/// cnt    probes, 1 to 127 on Linux, or KA_DEFAULT, or KA_UNCHANGED
///
/// A listening socket can be set too: the connections it accepts inherit the values on Linux.
/// For KA_DEFAULT the socket gets the number that the sysctl has now; later changes of the sysctl
/// do not affect it. The user timeout is not changed; if the socket has one, it replaces `cnt` on
/// Linux. Calling again is harmless, except while probes are unanswered: each call then sends one
/// more, which counts.
///
/// Returns 0, or a negative errno:
///   -EINVAL                    a value is out of range; no system call was made
///   -EBADF, -ENOTSOCK          fd is not open, or is not a socket
///   -ENOPROTOOPT, -EOPNOTSUPP  the socket is not TCP, or the platform lacks an option
///   -EMFILE, -ENFILE           for KA_DEFAULT only: these and the other errors of ka_defaults(),
///                              which opens a socket
///   -ERANGE                    for KA_DEFAULT only: the system's default (a sysctl outside the
///                              limits here) cannot be written, and the socket does not have it
///                              already
///   -EPERM, -EACCES            a security policy refused the call
///
/// If a value is refused, or the socket is not TCP, nothing is changed. The calls are, in this
/// order, setsockopt of TCP_KEEPINTVL, TCP_KEEPCNT, TCP_KEEPIDLE and SO_KEEPALIVE, without those
/// that are KA_UNCHANGED. If a security policy accepts the first calls and refuses a later one, the
/// first options keep their new value, and SO_KEEPALIVE is not changed.
///
/// Example: ka_set(fd, 60, 10, 6) notices a dead peer on an idle connection within two minutes.
#[unsafe(no_mangle)]
pub extern "C" fn ka_set(fd: c_int, idle: c_int, intvl: c_int, cnt: c_int) -> c_int {
    returning_zero(|| options::set(fd, idle, intvl, cnt))
}

/// Sets all five values of the structure on a socket, together.
///
/// settings  enabled: 1 on, 0 off, or KA_UNCHANGED. idle, intvl, cnt: as in ka_set().
///           user_timeout_ms: 0 (the kernel's own limit) to 2147483647, or KA_UNCHANGED
///
/// The result of ka_get() can be given back as it is: read, change one member, apply; or read,
/// apply other values, and restore the old ones later. Where ka_get() says -1, because the
/// platform or the socket has no such option, -1 means KA_UNCHANGED here. A system default that no
/// socket accepts (a sysctl outside the limits of ka_set()), read and given back, stays as it is.
///
/// Returns 0, or a negative errno as ka_set() does, and also:
///   -EFAULT                    settings is NULL
///   -EINVAL                    a value is out of range, and the socket does not have it already
///   -ENOPROTOOPT               also: a user timeout for a platform or a socket (MPTCP) without it
///
/// If a value is refused, or the socket is not TCP, nothing is changed. The calls are, in this
/// order, setsockopt of TCP_USER_TIMEOUT, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_KEEPIDLE and
/// SO_KEEPALIVE, without those that are KA_UNCHANGED. For a security policy that refuses one of
/// them, see ka_set().
///
/// Example, the promise of ka_detect_within():
///   ka_settings settings = ka_detect_within(30);
///   int error = ka_apply(fd, &settings);
///
/// Example, one value changed, and later all of them put back:
///   ka_settings before, settings;
///   int error = ka_get(fd, &before);
///   settings = before;
///   settings.idle = 30;
///   if (error == 0)
///       error = ka_apply(fd, &settings);
///   ...
///   if (error == 0)
///       error = ka_apply(fd, &before);
#[unsafe(no_mangle)]
pub extern "C" fn ka_apply(fd: c_int, settings: Option<&ka_settings>) -> c_int {
    let Some(settings) = settings else { return to_c(Err(Errno(libc::EFAULT))) };
    returning_zero(|| options::apply(fd, settings))
}

/// The settings with which a program is told of a dead peer within this many seconds.
///
/// The time counts from the moment that the peer falls silent, whatever the program does: wait,
/// write at any moment, write again, use TLS or not, with a round trip of up to 200 ms. Half of the
/// time, less the delays of the kernel's timers, is for silence and probes. The other half is for
/// data that is written to a dead peer: such data stops the probes and starts the user timeout, so
/// the two times add up. The function only calculates, and makes no system call. Give the result
/// to ka_apply().
///
/// The price: an outage of half of that time ends the connection, and a shorter one may. From 10
/// seconds on, it certainly survives a sixth of that time. A peer that lives, but keeps its receive
/// window closed for half of that time, is given up too. The promise does not cover a program that
/// has set TCP_NODELAY and goes on writing small pieces to a peer far away: each piece may delay
/// the first repetition of the data by two round trips, until the congestion window is full.
///
/// seconds  6 to 14400 (four hours)
///
/// Returns the settings. Out of range: `enabled` is -EINVAL and the rest is -1.
#[unsafe(no_mangle)]
pub extern "C" fn ka_detect_within(seconds: c_int) -> ka_settings {
    settings_or_errno(|| promise::detect_within(seconds))
}

/// The settings that a fresh TCP socket of this system has.
///
/// Read from the kernel at every call, so it follows sysctl (net.ipv4.tcp_keepalive_time, _intvl,
/// _probes) and network namespaces. On Linux usually 0, 7200, 75, 9, 0.
///
/// Returns the settings. On failure `enabled` is a negative errno (-EMFILE, -ENFILE, -ENOBUFS,
/// -ENOMEM, -EACCES, -EPERM, or -EAFNOSUPPORT where IPv4 and IPv6 are missing or forbidden) and the
/// rest is -1.
#[unsafe(no_mangle)]
pub extern "C" fn ka_defaults() -> ka_settings {
    settings_or_errno(options::defaults)
}

/// Reads back from the kernel what is in effect on a socket.
///
/// Options that were never set on the socket show the system's default. If `enabled` is 0, the
/// others are the values that will be used once keepalive is switched on. `user_timeout_ms` is -1
/// on MPTCP, where Linux has none.
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
/// For callers that can get the fstat of a socket but not its descriptor, as with PHP's streams.
/// If a socket has several descriptors (dup(2)), any of them is returned: options belong to the
/// socket. For a socket that was just opened or found before, and for sockets that are looked for
/// one after the other, the search takes a few system calls. Otherwise, for example if a new
/// socket reuses a number among many open ones, it takes at most one fstat for each open
/// descriptor.
///
/// Returns the descriptor, 0 or larger, or -ENOENT.
#[unsafe(no_mangle)]
pub extern "C" fn ka_find(dev: u64, ino: u64) -> c_int {
    returning(|| descriptors::find(dev, ino))
}

/// The TCP sockets that this process has open: listening, connecting, connected or unconnected.
///
/// sockets   room for `capacity` sockets; with NULL the sockets are only counted
/// capacity  nothing is written past it
///
/// Other threads may open and close sockets at the same time. Each socket is described as it was at
/// one moment; when its descriptor is used later, it may belong to another socket.
///
/// Returns the number of sockets, which may be more than `capacity`.
#[allow(clippy::missing_safety_doc)] // "room for `capacity` sockets" is the condition
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ka_sockets(sockets: *mut ka_socket, capacity: usize) -> c_int {
    // SAFETY: the caller's promise above, and this call alone uses the slice.
    let places = unsafe { sys::caller_array(sockets, capacity) };
    returning(|| Ok(sockets::list(places)))
}

/// This platform's option numbers, for programs that cannot include its headers.
///
/// Returns the numbers; -1 where the platform has no such option.
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
    describe(error).as_ptr()
}

/// The version of the library that is loaded, "1.0.0"; the header's is KA_VERSION_MAJOR, _MINOR
/// and _PATCH.
///
/// Returns a static string, not to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn ka_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

fn settings_or_errno(work: impl FnOnce() -> Result<ka_settings, Errno>) -> ka_settings {
    contained(work).unwrap_or_else(|Errno(errno)| ka_settings::failed(errno))
}

fn returning_zero(work: impl FnOnce() -> Result<(), Errno>) -> c_int {
    returning(|| work().map(|()| 0))
}

fn returning(work: impl FnOnce() -> Result<c_int, Errno>) -> c_int {
    to_c(contained(work))
}

/// Writes the result to the caller's structure; on failure writes nothing.
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

/// No panic reaches C: it would be a fault of this library, and is reported as an errno. No
/// cancellation of the thread reaches Rust, where it would abort the process.
fn contained<T>(work: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    sys::uncancelled(|| catch_unwind(AssertUnwindSafe(work)))
        .unwrap_or(Err(Errno(libc::ENOTRECOVERABLE)))
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
