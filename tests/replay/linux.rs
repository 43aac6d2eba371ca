//! The kernel developers' scripts for packetdrill: the parts that plain sockets can replay.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use keepalive::{
    KA_STATE_CLOSE, KA_STATE_FIN_WAIT1, KA_STATE_SYN_SENT, KA_UNCHANGED, ka_apply, ka_set,
};
use libc::{ETIMEDOUT, IPPROTO_TCP, c_int};

use crate::common::{
    Settings, connected, connecting, hear_again, only_user_timeout, set_option, settings, shell,
    silence, tcp_info, tcp_state, tcp4, wait_until, with_own_network,
};
use crate::sources::{NETDEV, PACKETDRILL};
use crate::{Case, case, fresh, probes, until_error};

pub fn cases() -> Vec<Case> {
    vec![
        case(
            PACKETDRILL,
            "user_timeout: a closed connection whose FIN nobody acknowledges",
            || {
                let (client, mut server) = connected();
                let ends = [client.local_addr().unwrap(), client.peer_addr().unwrap()];
                silence(server.as_raw_fd());
                assert_eq!(ka_apply(client.as_raw_fd(), Some(&only_user_timeout(3000))), 0);
                drop(client);
                let closed = Instant::now();
                assert_eq!(state_without_descriptor(ends), Some(KA_STATE_FIN_WAIT1));
                wait_until("the end", || state_without_descriptor(ends).is_none());
                let seconds = closed.elapsed().as_secs_f64();
                assert!((2.5..5.0).contains(&seconds), "{seconds} s");

                hear_again(server.as_raw_fd());
                server.write_all(b"x").unwrap();
                server.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                assert_eq!(server.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
            },
        ),
        case(PACKETDRILL, "user-timeout-probe: this host's own queue drops everything", || {
            with_own_network(|| {
                shell("ip link set lo up");
                let (mut client, _server) = connected();
                let fd = client.as_raw_fd();
                assert_eq!(ka_apply(fd, Some(&only_user_timeout(3000))), 0);
                client.write_all(&[0; 24]).unwrap();
                wait_until("the answer", || tcp_info(fd).tcpi_unacked == 0);
                assert_eq!(probes(fd), Some(0));
                shell("tc qdisc add dev lo root pfifo limit 0");
                client.write_all(&[0; 24]).unwrap();
                let dropping = Instant::now();
                thread::sleep(Duration::from_millis(2500));
                client.write_all(&[0; 24]).unwrap();
                let (_, error) = until_error(fd);
                let seconds = dropping.elapsed().as_secs_f64();
                assert_eq!(error, ETIMEDOUT);
                assert!((3.0..4.5).contains(&seconds), "{seconds} s");
                let info = tcp_info(fd);
                assert_eq!((info.tcpi_probes, info.tcpi_backoff), (6, 0));
            });
        }),
        case(PACKETDRILL, "fastopen-connect-keepalive: idle set while connect is deferred", || {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let socket = tcp4();
            let fd = socket.as_raw_fd();
            set_option(fd, IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, 1).unwrap();
            set_option(fd, IPPROTO_TCP, libc::TCP_FASTOPEN_NO_COOKIE, 1).unwrap();
            assert_eq!(ka_set(fd, KA_UNCHANGED, KA_UNCHANGED, KA_UNCHANGED), 0);
            let address = socket2::SockAddr::from(listener.local_addr().unwrap());
            socket2::SockRef::from(&socket).connect(&address).unwrap();
            // connect(2) returns success, but no SYN is sent before the first data.
            assert_eq!((tcp_state(fd), tcp_info(fd).tcpi_segs_out), (KA_STATE_SYN_SENT, 0));
            assert_eq!(ka_set(fd, 5, KA_UNCHANGED, KA_UNCHANGED), 0);
            thread::sleep(Duration::from_secs(1));
            assert_eq!(settings(fd), Settings { enabled: Ok(1), idle: Ok(5), ..fresh() });
            assert_eq!(tcp_state(fd), KA_STATE_SYN_SENT);
        }),
        case(NETDEV, "SYN-SENT: a connection that is not answered ends after 8 s", || {
            let (_listener, socket): (Vec<OwnedFd>, OwnedFd) = connecting();
            assert_eq!(ka_apply(socket.as_raw_fd(), Some(&only_user_timeout(8000))), 0);
            let (seconds, error) = until_error(socket.as_raw_fd());
            assert_eq!((error, tcp_state(socket.as_raw_fd())), (ETIMEDOUT, KA_STATE_CLOSE));
            assert!((7.0..10.0).contains(&seconds), "{seconds} s");
        }),
    ]
}

/// The state of an IPv4 connection that no longer has a descriptor; `None` after it has ended.
fn state_without_descriptor(ends: [SocketAddr; 2]) -> Option<c_int> {
    let [local, remote] = ends.map(|end| format!(":{:04X}", end.port()));
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let line = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    line.filter(|line| line[1].ends_with(&local) && line[2].ends_with(&remote))
        .map(|line| c_int::from_str_radix(line[3], 16).unwrap())
        .next()
}
