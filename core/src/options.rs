//! The five options of one socket: set in the one safe order, read back, switched off.

use std::os::fd::AsRawFd;

use libc::{IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, c_int};
use socket2::{Domain, Protocol, Socket, Type};

use crate::errors::Errno;
use crate::platform::{
    MAX_CNT, MAX_IDLE, MAX_INTVL, MISSING, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL,
    TCP_USER_TIMEOUT,
};
use crate::sys;
use crate::types::{KA_DEFAULT, KA_UNCHANGED, ka_settings};

/// The largest values of interval, count and idle time, in the order in which they are set.
const LARGEST: [c_int; 3] = [MAX_INTVL, MAX_CNT, MAX_IDLE];

/// Turns keepalive on; see `ka_set`.
pub fn set(fd: c_int, idle: c_int, intvl: c_int, cnt: c_int) -> Result<(), Errno> {
    let values = [intvl, cnt, idle];
    check(values)?;
    write(fd, KA_UNCHANGED, values, 1)
}

/// Sets all five values; see `ka_apply`.
pub fn apply(fd: c_int, settings: &ka_settings) -> Result<(), Errno> {
    let &ka_settings { enabled, user_timeout_ms, .. } = settings;
    let mut values = in_order(settings);
    if !(KA_UNCHANGED..=1).contains(&enabled) || user_timeout_ms < KA_UNCHANGED {
        return Err(Errno(libc::EINVAL));
    }
    if check(values).is_err() {
        values = without_what_it_has(fd, values)?;
    }
    write(fd, user_timeout_ms, values, enabled)
}

/// Fails when a value is out of range.
fn check(values: [c_int; 3]) -> Result<(), Errno> {
    let is_in_range = |(value, max): (c_int, c_int)| (KA_UNCHANGED..=max).contains(&value);
    if values.into_iter().zip(LARGEST).all(is_in_range) { Ok(()) } else { Err(Errno(libc::EINVAL)) }
}

/// Leaves out the values that the socket has already, and fails if another one is out of range.
///
/// A sysctl can be a value that no socket accepts, an idle time of a day for instance. `get` reads
/// it from a fresh socket, and it must be possible to give it back.
fn without_what_it_has(fd: c_int, mut values: [c_int; 3]) -> Result<[c_int; 3], Errno> {
    if values.into_iter().any(|value| value < KA_UNCHANGED) {
        return Err(Errno(libc::EINVAL));
    }
    for (value, has) in values.iter_mut().zip(in_order(&get(fd)?)) {
        if *value == has {
            *value = KA_UNCHANGED;
        }
    }
    check(values).map(|()| values)
}

/// Writes the values that are not `KA_UNCHANGED`. Interval, count and idle time are in range.
///
/// The order matters. The TCP options come first, because `SO_KEEPALIVE` alone would succeed on
/// sockets that are not TCP. The first of all is the user timeout: some TCP sockets (MPTCP) lack
/// it, and then nothing has been changed yet. The last of the TCP options is the idle time. If
/// keepalive is already on, setting the idle time restarts the timer. Setting the interval or the
/// count does not, so both must be set before.
fn write(
    fd: c_int,
    user_timeout_ms: c_int,
    mut values: [c_int; 3],
    enabled: c_int,
) -> Result<(), Errno> {
    if values.contains(&KA_DEFAULT) {
        values = with_defaults(fd, values)?;
    }
    if user_timeout_ms == KA_UNCHANGED && values == [KA_UNCHANGED; 3] {
        sys::refuse_unless_tcp(fd)?;
    }
    let [intvl, cnt, idle] = values;
    write_numbers(fd, &ka_settings { enabled, idle, intvl, cnt, user_timeout_ms })
}

/// Makes the calls, in the order that `write` explains. The preload object calls this function
/// directly: its values are numbers in range, and nothing here can panic, allocate or take a lock.
pub fn write_numbers(fd: c_int, settings: &ka_settings) -> Result<(), Errno> {
    let &ka_settings { enabled, idle, intvl, cnt, user_timeout_ms } = settings;
    for (option, value) in [
        (TCP_USER_TIMEOUT, user_timeout_ms),
        (TCP_KEEPINTVL, intvl),
        (TCP_KEEPCNT, cnt),
        (TCP_KEEPIDLE, idle),
    ] {
        if value != KA_UNCHANGED {
            set_tcp_option(fd, option, value)?;
        }
    }
    if enabled == KA_UNCHANGED {
        Ok(())
    } else {
        sys::set_option(fd, SOL_SOCKET, SO_KEEPALIVE, enabled)
    }
}

fn in_order(settings: &ka_settings) -> [c_int; 3] {
    [settings.intvl, settings.cnt, settings.idle]
}

/// Replaces `KA_DEFAULT` by the system's default.
///
/// A sysctl can be a value that no socket accepts. A socket that still has it from the sysctl keeps
/// it. On any other socket it cannot be set: `ERANGE`.
fn with_defaults(fd: c_int, mut values: [c_int; 3]) -> Result<[c_int; 3], Errno> {
    let system = in_order(&defaults()?);
    for place in 0..3 {
        if values[place] != KA_DEFAULT {
            continue;
        }
        values[place] = if (1..=LARGEST[place]).contains(&system[place]) {
            system[place]
        } else if in_order(&get(fd)?)[place] == system[place] {
            KA_UNCHANGED
        } else {
            return Err(Errno(libc::ERANGE));
        };
    }
    Ok(values)
}

/// Turns keepalive off; see `ka_disable`.
pub fn disable(fd: c_int) -> Result<(), Errno> {
    write(fd, KA_UNCHANGED, [KA_UNCHANGED; 3], 0)
}

/// What a fresh TCP socket has; see `ka_defaults`.
pub fn defaults() -> Result<ka_settings, Errno> {
    let tcp = |domain| Socket::new(domain, Type::STREAM, Some(Protocol::TCP));
    let scratch = tcp(Domain::IPV4).or_else(|error| match error.raw_os_error() {
        Some(libc::EAFNOSUPPORT) => tcp(Domain::IPV6),
        _ => Err(error),
    })?;
    get(scratch.as_raw_fd())
}

fn set_tcp_option(fd: c_int, option: c_int, value: c_int) -> Result<(), Errno> {
    if option == MISSING {
        return Err(Errno(libc::ENOPROTOOPT));
    }
    sys::set_option(fd, IPPROTO_TCP, option, value)
}

/// The values in effect on a socket; see `ka_get`.
#[cfg(not(target_os = "openbsd"))]
pub fn get(fd: c_int) -> Result<ka_settings, Errno> {
    let tcp = |option| sys::get_option(fd, IPPROTO_TCP, option);
    Ok(ka_settings {
        idle: tcp(TCP_KEEPIDLE)?,
        intvl: tcp(TCP_KEEPINTVL)?,
        cnt: tcp(TCP_KEEPCNT)?,
        user_timeout_ms: user_timeout(fd)?,
        enabled: is_enabled(fd)?,
    })
}

/// This platform can only switch on and off.
#[cfg(target_os = "openbsd")]
pub fn get(fd: c_int) -> Result<ka_settings, Errno> {
    sys::refuse_unless_tcp(fd)?;
    Ok(ka_settings { enabled: is_enabled(fd)?, ..ka_settings::failed(0) })
}

/// In milliseconds; -1 on MPTCP, which is TCP without this option, and on platforms without it.
#[cfg(not(target_os = "openbsd"))]
fn user_timeout(fd: c_int) -> Result<c_int, Errno> {
    if TCP_USER_TIMEOUT == MISSING {
        return Ok(-1);
    }
    match sys::get_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) {
        Err(Errno(libc::EOPNOTSUPP | libc::ENOPROTOOPT)) => Ok(-1),
        result => result,
    }
}

/// 1 or 0. The BSDs return another number instead of 1.
fn is_enabled(fd: c_int) -> Result<c_int, Errno> {
    sys::get_option(fd, SOL_SOCKET, SO_KEEPALIVE).map(|value| (value != 0).into())
}
