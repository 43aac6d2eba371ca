//! The TCP sockets that this process has open.

use std::io::Write;
use std::mem::MaybeUninit;
use std::net::SocketAddr;

use libc::{c_char, c_int};
use socket2::{SockAddr, SockRef};

use crate::descriptors::OpenDescriptors;
use crate::errors::Errno;
use crate::sys::{refuse_unless_tcp, saturate};
use crate::types::{KA_STATE_SYN_SENT, ka_socket};
use crate::{liveness, sys};

/// Writes as many as fit and counts them all; see `ka_sockets`.
pub fn list(places: &mut [MaybeUninit<ka_socket>]) -> c_int {
    let mut places = places.iter_mut();
    let mut count = 0_usize;
    for fd in OpenDescriptors::list() {
        let Ok(socket) = describe(fd) else { continue };
        count += 1;
        if let Some(place) = places.next() {
            place.write(socket);
        }
    }
    saturate(count)
}

/// One socket; fails if it is not a TCP socket, or was closed.
fn describe(fd: c_int) -> Result<ka_socket, Errno> {
    let identity = sys::identity(fd)?;
    refuse_unless_tcp(fd)?;
    let borrowed = sys::borrow(fd)?;
    let socket = SockRef::from(&borrowed);
    let state = liveness::status(fd).map_or(-1, |liveness| liveness.state);
    let local = socket.local_addr().ok();
    let remote = match state {
        KA_STATE_SYN_SENT => local.as_ref().and_then(|local| sys::connecting_to(fd, local).ok()),
        _ => socket.peer_addr().ok(),
    };
    if sys::identity(fd)? != identity {
        // The socket was closed and its number given to another one: these are parts of two
        // sockets.
        return Err(Errno(libc::EBADF));
    }
    Ok(ka_socket { fd, state, local: text(local), remote: text(remote) })
}

/// An address as text, NUL terminated; empty where there is none. An IPv4 peer of an IPv6 socket
/// is written as the IPv4 address it has.
fn text(address: Option<SockAddr>) -> [c_char; 64] {
    let mut text = [0_u8; 64];
    let address = address.and_then(|address| address.as_socket()).filter(|a| a.port() != 0);
    if let Some(mut address) = address {
        let canonical = address.ip().to_canonical();
        if canonical.is_ipv4() {
            address = SocketAddr::new(canonical, address.port());
        }
        // The longest one, a scoped IPv6 address with its port, takes 58 bytes.
        let [room @ .., _nul] = &mut text;
        let _ = write!(&mut room[..], "{address}");
    }
    #[allow(clippy::cast_possible_wrap)] // ASCII only
    text.map(|byte| byte as c_char)
}
