//! The option numbers, which differ between operating systems, and the largest values each accepts.

#![allow(missing_docs)] // the names are those of tcp(7)

use libc::c_int;

/// For an option that this platform does not have.
pub const MISSING: c_int = -1;

/// Largest values that Linux accepts, in seconds, seconds and probes (`MAX_TCP_KEEPIDLE`,
/// `MAX_TCP_KEEPINTVL`, `MAX_TCP_KEEPCNT` in its include/net/tcp.h).
#[cfg(target_os = "linux")]
mod limits {
    use super::c_int;
    pub const MAX_IDLE: c_int = 32_767;
    pub const MAX_INTVL: c_int = 32_767;
    pub const MAX_CNT: c_int = 127;
}

/// On other systems the kernel decides.
#[cfg(not(target_os = "linux"))]
mod limits {
    use super::c_int;
    pub const MAX_IDLE: c_int = c_int::MAX;
    pub const MAX_INTVL: c_int = c_int::MAX;
    pub const MAX_CNT: c_int = c_int::MAX;
}

/// OpenBSD can only switch keepalive on and off.
#[cfg(target_os = "openbsd")]
mod numbers {
    use super::{MISSING, c_int};
    pub const TCP_KEEPIDLE: c_int = MISSING;
    pub const TCP_KEEPINTVL: c_int = MISSING;
    pub const TCP_KEEPCNT: c_int = MISSING;
}

#[cfg(not(target_os = "openbsd"))]
mod numbers {
    #[cfg(any(target_os = "macos", target_os = "ios"))]
    pub use libc::TCP_KEEPALIVE as TCP_KEEPIDLE;
    #[cfg(not(any(target_os = "macos", target_os = "ios")))]
    pub use libc::TCP_KEEPIDLE;
    pub use libc::{TCP_KEEPCNT, TCP_KEEPINTVL};
}

#[cfg(target_os = "linux")]
pub use libc::TCP_USER_TIMEOUT;
#[cfg(not(target_os = "linux"))]
pub const TCP_USER_TIMEOUT: c_int = MISSING;

pub use limits::{MAX_CNT, MAX_IDLE, MAX_INTVL};
pub use numbers::{TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL};
