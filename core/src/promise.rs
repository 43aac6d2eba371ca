//! The settings with which a program is told of a dead peer within a number of seconds, whatever it
//! does meanwhile: arithmetic only.

use libc::c_int;

use crate::errors::Errno;
use crate::types::ka_settings;

/// The shortest time: with less, no whole second is left for a probe.
pub const SHORTEST: c_int = 6;
/// The longest time, four hours: with much more, a socket would not accept the count.
pub const LONGEST: c_int = 14_400;

/// The time from a write until the kernel has sent the data again. Only then does the user timeout
/// start to count. The kernel waits twice, for a loss probe and for a retransmission, 600 ms each
/// on a new connection with a round trip of 200 ms.
const UNTIL_REPEATED_MS: c_int = 1200;

/// Keeps the silence below two minutes, so that no NAT or load balancer forgets the connection. Of
/// those known, Azure's forgets first, after four minutes.
const LONGEST_INTERVAL: c_int = 60;

/// The settings that keep the promise; see `ka_detect_within`.
///
/// In the worst case data is written just before the last probe is due. Then two times follow one
/// another: silence and probes, and the user timeout. Both are the same, `half`. On Linux the user
/// timeout replaces the count; because both times are the same, it ends an idle connection exactly
/// when the count would.
///
/// Linux fires a timer up to an eighth of its length late (its timer wheel is coarser for longer
/// timers). The last timer of a user timeout has at most half of its length, so the user timeout
/// ends up to a sixteenth late. So
/// 9/8 half + 17/16 half + 1.2 s <= seconds, which is
/// half <= (seconds - 1.2) 16/35.
pub fn detect_within(seconds: c_int) -> Result<ka_settings, Errno> {
    if !(SHORTEST..=LONGEST).contains(&seconds) {
        return Err(Errno(libc::EINVAL));
    }
    let half = (seconds * 1000 - UNTIL_REPEATED_MS) * 2 / 4375;
    if half == 2 {
        // Six and seven seconds have room for one probe only. It comes after two seconds of silence
        // and not after one, so that an idle connection survives an outage of two seconds. The user
        // timeout gets the rest: 9/8 3 s + 17/16 1.3 s + 1.2 s = 5.96 s.
        return Ok(ka_settings { enabled: 1, idle: 2, intvl: 1, cnt: 1, user_timeout_ms: 1300 });
    }
    let intvl = ((half + 7) / 8).min(LONGEST_INTERVAL);
    let cnt = half / intvl - 1;
    let idle = half - intvl * cnt; // at least one interval, less than two
    Ok(ka_settings { enabled: 1, idle, intvl, cnt, user_timeout_ms: half * 1000 })
}
