//! `ka_status`: what it reports in each state, and about a peer that is silent.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{
    connected, connected_at, connecting, in_child, other_kinds, raw, reset, settings, silence,
    tcp_kinds, tcp_state, tcp4, wait_until, with_own_network,
};
use keepalive::{
    KA_STATE_CLOSE, KA_STATE_CLOSE_WAIT, KA_STATE_ESTABLISHED, KA_STATE_LISTEN, KA_STATE_SYN_SENT,
    ka_liveness, ka_set, ka_status,
};
use libc::c_int;

/// `ka_status` as a `Result`.
fn status(fd: c_int) -> Result<ka_liveness, c_int> {
    let mut place = MaybeUninit::uninit();
    match ka_status(fd, Some(&mut place)) {
        // SAFETY: 0 says that it was written.
        0 => Ok(unsafe { place.assume_init() }),
        error => Err(-error),
    }
}

/// What is reported of a socket whose peer has never answered.
fn unheard(state: c_int) -> ka_liveness {
    ka_liveness { state, probes: 0, unacked: 0, last_received_ms: -1, last_sent_ms: -1, rtt_us: -1 }
}

#[test]
fn without_a_peer_there_is_only_a_state() {
    assert_eq!(status(tcp4().as_raw_fd()), Ok(unheard(KA_STATE_CLOSE)));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(status(listener.as_raw_fd()), Ok(unheard(KA_STATE_LISTEN)));
    let _waiting = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert_eq!(status(listener.as_raw_fd()), Ok(unheard(KA_STATE_LISTEN)));
    assert_eq!(status(reset().as_raw_fd()), Ok(unheard(KA_STATE_CLOSE)));
}

#[test]
fn a_connecting_socket_has_its_syn_in_flight() {
    let (_listener, waiting) = connecting();
    assert_eq!(
        status(waiting.as_raw_fd()),
        Ok(ka_liveness { unacked: 1, ..unheard(KA_STATE_SYN_SENT) })
    );
}

#[test]
fn an_established_connection_tells_when_it_last_heard_and_sent() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let (mut client, mut server) = connected_at(address.parse().unwrap());
        let start = Instant::now();
        let fd = client.as_raw_fd();
        let liveness = status(fd).unwrap();
        assert_eq!(liveness.state, KA_STATE_ESTABLISHED);
        assert_eq!((liveness.probes, liveness.unacked), (0, 0));
        assert!(liveness.rtt_us > 0 && liveness.rtt_us < 1_000_000, "{liveness:?}");

        sleep(Duration::from_millis(300));
        let waited = start.elapsed().as_millis();
        let liveness = status(fd).unwrap();
        // The kernel counts in jiffies, of up to 10 ms.
        let known = |ms: c_int| u128::try_from(ms).expect("it is known");
        let measured = |ms| (280..=waited + 500).contains(&known(ms));
        let since = |before: Instant, ms| known(ms) <= before.elapsed().as_millis() + 20;
        assert!(measured(liveness.last_received_ms), "{liveness:?} after {waited} ms");
        assert!(measured(liveness.last_sent_ms), "{liveness:?} after {waited} ms");

        let before = Instant::now();
        server.write_all(b"x").unwrap();
        client.read_exact(&mut [0]).unwrap();
        let heard = status(fd).unwrap();
        assert!(since(before, heard.last_received_ms), "{heard:?}");
        assert!(heard.last_sent_ms >= 280, "{heard:?}: hearing is not sending");

        sleep(Duration::from_millis(300));
        let before = Instant::now();
        client.write_all(b"x").unwrap();
        wait_until("the acknowledgement", || status(fd).unwrap().unacked == 0);
        let acknowledged = status(fd).unwrap();
        assert!(since(before, acknowledged.last_sent_ms), "{acknowledged:?}");
        assert!(
            since(before, acknowledged.last_received_ms),
            "{acknowledged:?}: an ACK is heard too"
        );
    }
}

#[test]
fn a_peer_that_closed_is_a_state_and_no_error() {
    let (client, server) = connected();
    drop(server);
    wait_until("the FIN", || status(client.as_raw_fd()).unwrap().state == KA_STATE_CLOSE_WAIT);
}

#[test]
fn every_tcp_socket_has_a_status_with_the_kernels_state() {
    for kind in &tcp_kinds() {
        let liveness = status(kind.fd).unwrap_or_else(|errno| panic!("{}: {errno}", kind.name));
        assert_eq!(liveness.state, tcp_state(kind.fd), "{}", kind.name);
    }
}

#[test]
fn data_that_the_peer_does_not_acknowledge_is_counted() {
    let (mut client, server) = connected();
    silence(server.as_raw_fd());
    assert_eq!(ka_set(client.as_raw_fd(), 1, 1, 3), 0);
    client.write_all(b"x").unwrap();
    sleep(Duration::from_millis(100));
    let liveness = status(client.as_raw_fd()).unwrap();
    assert_eq!((liveness.state, liveness.unacked), (KA_STATE_ESTABLISHED, 1));
    sleep(Duration::from_millis(1400));
    let liveness = status(client.as_raw_fd()).unwrap();
    assert_eq!(liveness.probes, 0, "while data is in flight, keepalive sends no probes");
    assert!(liveness.last_received_ms >= 1400, "{liveness:?}");
}

#[test]
fn unanswered_probes_are_counted_until_the_connection_ends() {
    let (mut client, server) = connected();
    let fd = client.as_raw_fd();
    silence(server.as_raw_fd());
    assert_eq!(ka_set(fd, 1, 1, 3), 0);
    let start = Instant::now();
    let mut seen = Vec::new();
    while start.elapsed() < Duration::from_secs(8) && tcp_state(fd) == KA_STATE_ESTABLISHED {
        let liveness = status(fd).unwrap();
        if liveness.state == KA_STATE_ESTABLISHED && seen.last() != Some(&liveness.probes) {
            seen.push(liveness.probes);
        }
        sleep(Duration::from_millis(20));
    }
    let died = start.elapsed().as_secs_f64();
    assert_eq!(seen, [0, 1, 2, 3]);
    assert!((3.5..5.0).contains(&died), "given up after {died} s instead of 4");
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::TimedOut);
    // The number of probes can still be read.
    assert_eq!(status(fd), Ok(ka_liveness { probes: 3, ..unheard(KA_STATE_CLOSE) }));
}

#[test]
fn a_peer_that_answers_its_probes_has_none_unanswered() {
    let (client, _server) = connected();
    let fd = client.as_raw_fd();
    assert_eq!(ka_set(fd, 1, 1, 1), 0);
    let end = Instant::now() + Duration::from_millis(3500);
    while Instant::now() < end {
        let liveness = status(fd).unwrap();
        assert_eq!(liveness.state, KA_STATE_ESTABLISHED);
        assert!(liveness.last_received_ms < 1500, "{liveness:?}");
        sleep(Duration::from_millis(50));
    }
    assert_eq!(status(fd).unwrap().probes, 0);
}

#[test]
fn refuses_what_is_not_a_tcp_socket() {
    for kind in &other_kinds() {
        let errno = settings(kind.fd).idle.unwrap_err();
        assert_eq!(status(kind.fd), Err(errno), "{}", kind.name);
    }
    with_own_network(|| assert_eq!(status(raw().fd), Err(libc::EOPNOTSUPP)));
    in_child(|| {
        let closed = tcp4().as_raw_fd();
        assert_eq!(status(closed), Err(libc::EBADF));
    });
}

#[test]
fn without_a_place_it_is_efault_and_failing_writes_nothing() {
    assert_eq!(ka_status(tcp4().as_raw_fd(), None), -libc::EFAULT);
    let canary = unheard(12_345);
    let mut place = MaybeUninit::new(canary);
    assert_eq!(ka_status(-1, Some(&mut place)), -libc::EBADF);
    // SAFETY: it was initialised above.
    assert_eq!(unsafe { place.assume_init() }, canary);
}
