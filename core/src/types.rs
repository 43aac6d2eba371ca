//! The constants and structures of the C ABI, whose comments are the manual in the header.

#![allow(non_camel_case_types)] // C's names
#![allow(clippy::doc_markdown)] // the comments become C's, where backticks mean nothing

use std::ffi::c_char;

use libc::c_int;

/// For idle, intvl and cnt: the value of a fresh socket of this system.
pub const KA_DEFAULT: c_int = 0;
/// For any value: leaves the socket's value as it is.
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
/// Both sides have closed; the kernel waits for late segments. An open descriptor never has this
/// state: it has KA_STATE_CLOSE then.
pub const KA_STATE_TIME_WAIT: c_int = 6;
/// Not connected: fresh, or ended.
pub const KA_STATE_CLOSE: c_int = 7;
/// The other side has closed, this one has not.
pub const KA_STATE_CLOSE_WAIT: c_int = 8;
/// Both have closed; the last acknowledgement is missing.
pub const KA_STATE_LAST_ACK: c_int = 9;
/// Accepts connections.
pub const KA_STATE_LISTEN: c_int = 10;
/// Both have closed at the same moment.
pub const KA_STATE_CLOSING: c_int = 11;

/// The settings of a socket that decide when a dead peer is noticed: what ka_get() reads,
/// ka_apply() sets, and ka_defaults() and ka_detect_within() return.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ka_settings {
    /// SO_KEEPALIVE: 1 on, 0 off. For ka_apply() also KA_UNCHANGED. A negative errno from
    /// ka_defaults() and ka_detect_within(): the call failed.
    pub enabled: c_int,
    /// TCP_KEEPIDLE: seconds without anything from the peer before the first probe.
    /// -1 here and below where the platform or the socket has no such option.
    pub idle: c_int,
    /// TCP_KEEPINTVL: seconds from one unanswered probe to the next.
    pub intvl: c_int,
    /// TCP_KEEPCNT: unanswered probes after which the connection is given up.
    pub cnt: c_int,
    /// TCP_USER_TIMEOUT: milliseconds that sent data may stay unacknowledged; 0 is the kernel's own
    /// limit, some 15 minutes. On Linux it also replaces `cnt`.
    pub user_timeout_ms: c_int,
}

impl ka_settings {
    /// What a function returns if it has no settings to return.
    #[must_use]
    pub const fn failed(errno: c_int) -> Self {
        Self { enabled: -errno, idle: -1, intvl: -1, cnt: -1, user_timeout_ms: -1 }
    }
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
    /// Milliseconds since data was last sent, or since the connection was established if none was;
    /// probes do not count.
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
    /// TCP state, one of KA_STATE_..., or -1 where the platform does not report it.
    pub state: c_int,
    /// This end as "192.0.2.1:3306" or "[2001:db8::1]:3306", NUL terminated; empty while unbound.
    /// IPv4 connections of an IPv6 socket are written as IPv4.
    pub local: [c_char; 64],
    /// The other end in the same form, also while connecting to it; empty while there is none.
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
    /// TCP_KEEPIDLE; macOS calls it TCP_KEEPALIVE.
    pub tcp_keepidle: c_int,
    /// TCP_KEEPINTVL.
    pub tcp_keepintvl: c_int,
    /// TCP_KEEPCNT.
    pub tcp_keepcnt: c_int,
    /// TCP_USER_TIMEOUT.
    pub tcp_user_timeout: c_int,
}
