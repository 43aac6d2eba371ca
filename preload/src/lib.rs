//! `libkeepalive-preload.so`: keepalive on the TCP sockets of a program without changing it.
//!
//! The dynamic loader puts it before the C library (`LD_PRELOAD`), so the program's calls of
//! socket(), connect() and listen() come here first. docs/preload.md is its manual.
//!
//! The functions may be called in a signal handler, after vfork(), in any thread. So they
//! allocate nothing, take no lock, keep no descriptor open and leave errno as it was. The
//! environment variables are read once, when the object is loaded.

#![cfg(target_os = "linux")]
#![deny(unsafe_code)]
#![allow(clippy::doc_markdown)] // C's functions are written without backticks, as in the core

#[allow(unsafe_code)]
mod exports;
mod log;
mod rules;
#[allow(unsafe_code)]
mod system;
mod variables;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI32, Ordering};

use keepalive_core::errors::Errno;
use keepalive_core::options;
use keepalive_core::sys::get_option;
use keepalive_core::types::{KA_UNCHANGED, ka_settings};
use libc::{IPPROTO_TCP, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, c_int};

use log::Subject;
use variables::Variables;

/// A program has opened a socket.
fn opened(variables: &Variables, fd: c_int, domain: c_int, kind: c_int, protocol: c_int) {
    if !is_tcp(domain, kind, protocol) {
        return;
    }
    if variables.rules.is_empty() {
        apply(variables, fd, &variables.settings, Subject::Opened);
    } else {
        remember_fresh(fd);
    }
}

/// A program is about to connect a socket to this address, or to listen at it.
fn named(
    variables: &Variables,
    fd: c_int,
    address: SocketAddr,
    doing: impl FnOnce(SocketAddr) -> Subject,
) {
    // An IPv4 address inside an IPv6 address (::ffff:192.0.2.1) counts as IPv4.
    let address = SocketAddr::new(address.ip().to_canonical(), address.port());
    if !variables.rules.include(address) {
        return;
    }
    let ours = &variables.settings;
    match options::get(fd) {
        // A program with a non-blocking socket may call connect() again, to learn the result.
        Ok(has) if is_as_set_here(ours, fd, &has) => {}
        Ok(has) => apply(variables, fd, &without_the_programs_own(ours, &has), doing(address)),
        Err(Errno(error @ (libc::EPERM | libc::EACCES))) => {
            variables.log.write(fd, doing(address), ours, Err(Errno(error)));
        }
        Err(_) => {} // not TCP
    }
}

/// A program is about to switch keepalive off. Returns whether it stays on: it does if the socket's
/// values are still the ones set here.
fn keeps_on(variables: &Variables, fd: c_int) -> bool {
    let ours = &variables.settings;
    let keeps = options::get(fd).is_ok_and(|has| is_as_set_here(ours, fd, &has));
    if keeps {
        variables.log.write(fd, Subject::KeptOn, ours, Ok(()));
    }
    keeps
}

/// Whether a socket has the values that are set here, and none of the program's own.
fn is_as_set_here(ours: &ka_settings, fd: c_int, has: &ka_settings) -> bool {
    // If none is set here, the socket has 0, unless the program has set a user timeout of its own.
    let user_timeout_ms = ours.user_timeout_ms.max(0);
    (has.enabled, has.idle, has.intvl, has.cnt) == (1, ours.idle, ours.intvl, ours.cnt)
        && (has.user_timeout_ms == user_timeout_ms || is_mptcp(fd))
}

/// Whether socket() makes a TCP socket with these arguments; MPTCP counts.
fn is_tcp(domain: c_int, kind: c_int, protocol: c_int) -> bool {
    matches!(domain, libc::AF_INET | libc::AF_INET6)
        && kind & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) == libc::SOCK_STREAM
        && matches!(protocol, 0 | libc::IPPROTO_TCP | libc::IPPROTO_MPTCP)
}

/// An MPTCP socket has no user timeout, so none was set. After a fall back to TCP it has one, 0.
fn is_mptcp(fd: c_int) -> bool {
    get_option(fd, libc::SOL_SOCKET, libc::SO_PROTOCOL) == Ok(libc::IPPROTO_MPTCP)
}

fn apply(variables: &Variables, fd: c_int, settings: &ka_settings, subject: Subject) {
    let mut settings = *settings;
    let mut result = options::write_numbers(fd, &settings);
    if let Err(Errno(libc::ENOPROTOOPT | libc::EOPNOTSUPP)) = result {
        settings.user_timeout_ms = KA_UNCHANGED; // MPTCP lacks only this one
        result = options::write_numbers(fd, &settings);
    }
    variables.log.write(fd, subject, &settings, result);
}

/// Idle time, interval and count of a fresh socket, 0 while unknown; used with rules only.
static FRESH: [AtomicI32; 3] = [const { AtomicI32::new(0) }; 3];

/// Reads the values from each TCP socket that the program opens, because an administrator may
/// change the sysctls while a server runs. No socket is opened here to read them: a seccomp filter
/// of the program may forbid that.
fn remember_fresh(fd: c_int) {
    for (place, option) in FRESH.iter().zip([TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT]) {
        if let Ok(value) = get_option(fd, IPPROTO_TCP, option) {
            place.store(value, Ordering::Relaxed);
        }
    }
}

/// Leaves out the values that the program has set between socket() and connect(), as libpq does:
/// those that differ from a fresh socket's.
fn without_the_programs_own(ours: &ka_settings, has: &ka_settings) -> ka_settings {
    let unless_set = |ours, has, fresh| {
        if fresh == 0 || has == fresh { ours } else { KA_UNCHANGED }
    };
    let [idle, intvl, cnt] = &FRESH;
    ka_settings {
        enabled: ours.enabled,
        idle: unless_set(ours.idle, has.idle, idle.load(Ordering::Relaxed)),
        intvl: unless_set(ours.intvl, has.intvl, intvl.load(Ordering::Relaxed)),
        cnt: unless_set(ours.cnt, has.cnt, cnt.load(Ordering::Relaxed)),
        user_timeout_ms: if has.user_timeout_ms == 0 { ours.user_timeout_ms } else { KA_UNCHANGED },
    }
}
