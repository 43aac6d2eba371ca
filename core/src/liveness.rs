//! What the kernel knows of a connection's health, from `TCP_INFO`.

use libc::c_int;

use crate::errors::Errno;
use crate::types::ka_liveness;

/// Liveness of a socket; see `ka_status`.
#[cfg(target_os = "linux")]
pub fn status(fd: c_int) -> Result<ka_liveness, Errno> {
    use crate::sys::{saturate, tcp_info};
    use crate::types::{KA_STATE_CLOSE, KA_STATE_LISTEN, KA_STATE_SYN_SENT};

    let info = tcp_info(fd)?;
    let state = c_int::from(info.tcpi_state);
    // Until the peer has answered, the kernel counts these times from its own boot.
    let heard = ![KA_STATE_CLOSE, KA_STATE_LISTEN, KA_STATE_SYN_SENT].contains(&state);
    let if_heard = |number| if heard { saturate(number) } else { -1 };
    // On a listener this field is the length of the accept queue.
    let unacked = if state == KA_STATE_LISTEN { 0 } else { saturate(info.tcpi_unacked) };
    Ok(ka_liveness {
        state,
        probes: info.tcpi_probes.into(),
        unacked,
        last_received_ms: if_heard(info.tcpi_last_data_recv.min(info.tcpi_last_ack_recv)),
        last_sent_ms: if_heard(info.tcpi_last_data_sent),
        rtt_us: if_heard(info.tcpi_rtt),
    })
}

/// Other systems number the states differently or have no such option: not supported here.
#[cfg(not(target_os = "linux"))]
pub fn status(fd: c_int) -> Result<ka_liveness, Errno> {
    crate::sys::refuse_unless_tcp(fd)?;
    Err(Errno(libc::ENOPROTOOPT))
}
