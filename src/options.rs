//! The keepalive options of one socket: set in the one safe order, read back, switched off.

use std::time::Duration;

use libc::{IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, c_int};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::abi::{KA_DEFAULT, KA_UNCHANGED, ka_settings};
use crate::errors::Errno;
use crate::platform::{
    MAX_CNT, MAX_IDLE, MAX_INTVL, MISSING, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL,
    TCP_USER_TIMEOUT,
};
use crate::sys;

/// The largest values of the three TCP options, in the order in which they are set.
const LARGEST: [c_int; 3] = [MAX_INTVL, MAX_CNT, MAX_IDLE];

/// Turns keepalive on; see `ka_set`.
///
/// The order is the whole point. The TCP options come first, because `SO_KEEPALIVE` alone would
/// succeed on sockets that are not TCP. Among them the idle time comes last: it is the one that
/// re-arms the timer of a socket whose keepalive is already on, and by then the interval and the
/// count, which never re-arm it, are in place.
pub(crate) fn set(fd: c_int, idle: c_int, intvl: c_int, cnt: c_int) -> Result<(), Errno> {
    let mut values = [intvl, cnt, idle];
    for (value, max) in values.into_iter().zip(LARGEST) {
        if value < KA_UNCHANGED || value > max {
            return Err(Errno(libc::EINVAL));
        }
    }
    if values.contains(&KA_DEFAULT) {
        values = with_defaults(fd, values)?;
    }
    if values == [KA_UNCHANGED; 3] {
        refuse_unless_tcp(fd)?;
    }
    for (option, value) in [TCP_KEEPINTVL, TCP_KEEPCNT, TCP_KEEPIDLE].into_iter().zip(values) {
        if value != KA_UNCHANGED {
            set_tcp_option(fd, option, value)?;
        }
    }
    sys::set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
}

/// Puts the system's defaults where they were asked for.
///
/// A sysctl can hold what no socket accepts, an idle time of a day for instance. A socket that has
/// that default in effect already keeps it; on any other it cannot be brought back.
fn with_defaults(fd: c_int, mut values: [c_int; 3]) -> Result<[c_int; 3], Errno> {
    let in_order = |settings: ka_settings| [settings.intvl, settings.cnt, settings.idle];
    let system = in_order(defaults()?);
    for place in 0..3 {
        if values[place] != KA_DEFAULT {
            continue;
        }
        values[place] = if (1..=LARGEST[place]).contains(&system[place]) {
            system[place]
        } else if in_order(get(fd)?)[place] == system[place] {
            KA_UNCHANGED
        } else {
            return Err(Errno(libc::ERANGE));
        };
    }
    Ok(values)
}

/// Turns keepalive off; see `ka_disable`.
pub(crate) fn disable(fd: c_int) -> Result<(), Errno> {
    refuse_unless_tcp(fd)?;
    sys::set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0)
}

/// The values in effect on a socket; see `ka_get`.
pub(crate) fn get(fd: c_int) -> Result<ka_settings, Errno> {
    read(&SockRef::from(&sys::borrow(fd)?))
}

/// What a fresh TCP socket has; see `ka_defaults`.
pub(crate) fn defaults() -> Result<ka_settings, Errno> {
    let tcp = |domain| Socket::new(domain, Type::STREAM, Some(Protocol::TCP));
    let scratch = tcp(Domain::IPV4).or_else(|error| match error.raw_os_error() {
        Some(libc::EAFNOSUPPORT) => tcp(Domain::IPV6),
        _ => Err(error),
    })?;
    read(&scratch)
}

/// Limits how long sent data may stay unacknowledged; see `ka_set_user_timeout`.
pub(crate) fn set_user_timeout(fd: c_int, timeout_ms: c_int) -> Result<(), Errno> {
    if timeout_ms < 0 {
        return Err(Errno(libc::EINVAL));
    }
    set_tcp_option(fd, TCP_USER_TIMEOUT, timeout_ms)
}

/// The user timeout in milliseconds; see `ka_get_user_timeout`.
#[cfg(target_os = "linux")]
pub(crate) fn get_user_timeout(fd: c_int) -> Result<c_int, Errno> {
    let timeout = SockRef::from(&sys::borrow(fd)?).tcp_user_timeout()?;
    Ok(timeout.map_or(0, |timeout| saturate(timeout.as_millis())))
}

/// This platform has no such option; what is no TCP socket is refused for that reason all the same.
#[cfg(not(target_os = "linux"))]
pub(crate) fn get_user_timeout(fd: c_int) -> Result<c_int, Errno> {
    refuse_unless_tcp(fd)?;
    Err(Errno(libc::ENOPROTOOPT))
}

/// Fails with the kernel's own errno on what is not a TCP socket, and changes nothing.
///
/// Asks for `TCP_NODELAY`, the one option of this level that every TCP has.
pub(crate) fn refuse_unless_tcp(fd: c_int) -> Result<(), Errno> {
    SockRef::from(&sys::borrow(fd)?).tcp_nodelay()?;
    Ok(())
}

fn set_tcp_option(fd: c_int, option: c_int, value: c_int) -> Result<(), Errno> {
    if option == MISSING {
        return Err(Errno(libc::ENOPROTOOPT));
    }
    sys::set_option(fd, IPPROTO_TCP, option, value)
}

#[cfg(not(target_os = "openbsd"))]
fn read(socket: &Socket) -> Result<ka_settings, Errno> {
    let seconds = |duration: Duration| saturate(duration.as_secs());
    Ok(ka_settings {
        idle: seconds(socket.tcp_keepalive_time()?),
        intvl: seconds(socket.tcp_keepalive_interval()?),
        cnt: saturate(socket.tcp_keepalive_retries()?),
        enabled: socket.keepalive()?.into(),
    })
}

/// Only on and off can be had here.
#[cfg(target_os = "openbsd")]
fn read(socket: &Socket) -> Result<ka_settings, Errno> {
    socket.tcp_nodelay()?;
    Ok(ka_settings { enabled: socket.keepalive()?.into(), idle: -1, intvl: -1, cnt: -1 })
}

/// The same number as an `int`, or the largest one.
pub(crate) fn saturate(number: impl TryInto<c_int>) -> c_int {
    number.try_into().unwrap_or(c_int::MAX)
}
