//! gVisor's cases. Its tests make packets of their own. Here plain sockets do the same: one end of
//! a connection drops what arrives, and later receives again.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::Duration;

use keepalive::{
    KA_STATE_CLOSE, KA_STATE_ESTABLISHED, KA_STATE_FIN_WAIT2, KA_UNCHANGED, ka_apply, ka_defaults,
    ka_disable, ka_set,
};
use libc::{EINVAL, ETIMEDOUT, SO_ERROR, SOL_SOCKET, c_int};

use crate::common::{
    Settings, connected, get_option, hear_again, only_user_timeout, other_kinds, read_back, reset,
    settings, silence, socket, tcp_info, tcp_kinds, tcp_state, user_timeout, wait_until,
};
use crate::sources::GVISOR;
use crate::{
    Case, case, differs, fresh, on_pairs, pairs, probes, probes_until_dead,
    seconds_of_answered_probes, until_error,
};

const UNCHANGED: [c_int; 3] = [KA_UNCHANGED; 3];

pub fn cases() -> Vec<Case> {
    [keepalive(), values(), user_timeouts(), other_sockets(), late_answers(), dead_peers()]
        .into_iter()
        .flatten()
        .collect()
}

fn enable(fd: c_int) -> c_int {
    ka_set(fd, KA_UNCHANGED, KA_UNCHANGED, KA_UNCHANGED)
}

fn keepalive() -> Vec<Case> {
    vec![
        case(GVISOR, "SoKeepaliveDefault", || {
            for (client, server) in pairs() {
                assert_eq!(read_back(client.as_raw_fd()).unwrap().enabled, 0);
                assert_eq!(read_back(server.as_raw_fd()).unwrap().enabled, 0);
            }
        }),
        case(GVISOR, "SetSoKeepalive", || {
            on_pairs(UNCHANGED, 0, Settings { enabled: Ok(1), ..fresh() });
            for (client, _server) in pairs() {
                assert_eq!(enable(client.as_raw_fd()), 0);
                assert_eq!(ka_disable(client.as_raw_fd()), 0);
                assert_eq!(settings(client.as_raw_fd()).enabled, Ok(0));
            }
        }),
        case(GVISOR, "SetSoKeepaliveClosed", || {
            let closed = reset();
            assert_eq!(enable(closed.as_raw_fd()), 0);
            assert_eq!(settings(closed.as_raw_fd()).enabled, Ok(1));
        }),
    ]
}

fn values() -> Vec<Case> {
    let mut cases = vec![
        case(GVISOR, "SetTCPKeepcountToOne", || {
            on_pairs(
                [KA_UNCHANGED, KA_UNCHANGED, 1],
                0,
                Settings { enabled: Ok(1), cnt: Ok(1), ..fresh() },
            );
        }),
        case(GVISOR, "SetTCPKeepcountToNegative", || {
            on_pairs([KA_UNCHANGED, KA_UNCHANGED, -5], -EINVAL, fresh());
        }),
    ];
    for (name, place, max) in
        [("Keepidle", 0, 32_767), ("Keepintvl", 1, 32_767), ("Keepcount", 2, 127)]
    {
        let with = move |value| {
            let mut values = UNCHANGED;
            values[place] = value;
            values
        };
        cases.push(case(GVISOR, format!("TCP{name}Default"), move || {
            let system = ka_defaults();
            for (client, _server) in pairs() {
                let kernel = settings(client.as_raw_fd());
                assert_eq!(
                    Ok([system.idle, system.intvl, system.cnt][place]),
                    [kernel.idle, kernel.intvl, kernel.cnt][place]
                );
            }
        }));
        let zero = case(GVISOR, format!("SetTCP{name}Zero"), move || {
            on_pairs(with(0), 0, Settings { enabled: Ok(1), ..fresh() });
        });
        cases.push(differs(zero, "0 is `KA_DEFAULT`, where Linux answers EINVAL"));
        cases.push(case(GVISOR, format!("SetTCP{name}AboveMax"), move || {
            on_pairs(with(max + 1), -EINVAL, fresh());
        }));
        cases.push(case(GVISOR, format!("SetTCP{name}ToMax"), move || {
            let mut expected = Settings { enabled: Ok(1), ..fresh() };
            *[&mut expected.idle, &mut expected.intvl, &mut expected.cnt][place] = Ok(max);
            on_pairs(with(max), 0, expected);
        }));
    }
    cases
}

fn user_timeouts() -> Vec<Case> {
    let minus_one = case(GVISOR, "SetTCPUserTimeout: -1, then 100", || {
        for domain in [libc::AF_INET, libc::AF_INET6] {
            let socket = socket(domain, libc::SOCK_STREAM, 0).unwrap();
            assert_eq!(ka_apply(socket.as_raw_fd(), Some(&only_user_timeout(-1))), 0);
            assert_eq!(user_timeout(socket.as_raw_fd()), Ok(0));
            assert_eq!(ka_apply(socket.as_raw_fd(), Some(&only_user_timeout(100))), 0);
            assert_eq!(user_timeout(socket.as_raw_fd()), Ok(100));
        }
    });
    let mut cases = vec![
        case(GVISOR, "TCPUserTimeoutDefault", || {
            for (client, _server) in pairs() {
                assert_eq!(read_back(client.as_raw_fd()).unwrap().user_timeout_ms, 0);
            }
        }),
        differs(minus_one, "-1 is `KA_UNCHANGED`, where Linux answers EINVAL"),
        case(GVISOR, "AcceptedInheritsTCPUserTimeout", || {
            let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
            let any = Ipv6Addr::UNSPECIFIED.into();
            for (listening, connecting) in [(v4, v4), (v6, v6), (any, v6), (any, v4)] {
                let listener = TcpListener::bind(SocketAddr::new(listening, 0)).unwrap();
                assert_eq!(ka_apply(listener.as_raw_fd(), Some(&only_user_timeout(120_001))), 0);
                let port = listener.local_addr().unwrap().port();
                let _client = TcpStream::connect((connecting, port)).unwrap();
                let accepted = listener.accept().unwrap().0;
                assert_eq!(user_timeout(accepted.as_raw_fd()), Ok(120_001));
            }
        }),
    ];
    for (name, value, returned, left) in [
        ("SetTCPUserTimeoutZero", 0, 0, 0),
        ("SetTCPUserTimeoutBelowZero", -10, -EINVAL, 0),
        ("SetTCPUserTimeoutAboveZero", 10, 0, 10),
    ] {
        cases.push(case(GVISOR, name, move || {
            for (client, _server) in pairs() {
                assert_eq!(ka_apply(client.as_raw_fd(), Some(&only_user_timeout(value))), returned);
                assert_eq!(user_timeout(client.as_raw_fd()), Ok(left));
            }
        }));
    }
    cases
}

/// Sockets of all kinds, where gVisor's tests use `SO_KEEPALIVE` alone.
fn other_sockets() -> Vec<Case> {
    // The kernel has one errno for reading and another one for setting.
    let read = case(GVISOR, "KeepAliveSocketOption, sockets that are not TCP", || {
        for kind in other_kinds() {
            let errno = settings(kind.fd).idle.unwrap_err();
            let refused = read_back(kind.fd).map(|settings| settings.enabled);
            assert_eq!(refused, Err(-errno), "{}", kind.name);
        }
    });
    let set = case(GVISOR, "SetAndGetBooleanSocketOptions, sockets that are not TCP", || {
        for kind in other_kinds() {
            let before = settings(kind.fd);
            assert_eq!(enable(kind.fd), -before.idle.unwrap_err(), "{}", kind.name);
            assert_eq!(ka_set(kind.fd, 60, 10, 6), -kind.errno, "{}", kind.name);
            assert_eq!(settings(kind.fd), before, "{}", kind.name);
        }
    });
    vec![
        case(GVISOR, "KeepAliveSocketOption, TCP", || {
            for kind in tcp_kinds() {
                assert_eq!(read_back(kind.fd).unwrap().enabled, 0, "{}", kind.name);
            }
        }),
        differs(read, "what is not TCP is refused"),
        case(GVISOR, "SetAndGetBooleanSocketOptions, TCP", || {
            for kind in tcp_kinds() {
                assert_eq!(enable(kind.fd), 0, "{}", kind.name);
                assert_eq!(settings(kind.fd).enabled, Ok(1), "{}", kind.name);
            }
        }),
        differs(set, "what is not TCP is refused, and stays as it was"),
    ]
}

fn error_of(socket: &TcpStream) -> c_int {
    get_option(socket.as_raw_fd(), SOL_SOCKET, SO_ERROR).unwrap()
}

/// packetimpact's table: data or a FIN that the peer acknowledges only after a delay.
fn late_answers() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, timeout, delay) in
        [("NoUserTimeout", 0, 3), ("ACKBeforeUserTimeout", 5, 4), ("ACKAfterUserTimeout", 5, 7)]
    {
        for (after, fin) in [("AfterPayload", false), ("AfterFIN", true)] {
            cases.push(case(GVISOR, format!("{name}{after}"), move || {
                let (mut client, mut server) = connected();
                assert_eq!(
                    ka_apply(client.as_raw_fd(), Some(&only_user_timeout(timeout * 1000))),
                    0
                );
                silence(client.as_raw_fd());
                if fin {
                    client.shutdown(Shutdown::Write).unwrap();
                } else {
                    client.write_all(&[0; 100]).unwrap();
                }
                thread::sleep(Duration::from_secs(delay));
                hear_again(client.as_raw_fd());
                server.write_all(b"x").unwrap(); // and with it the acknowledgement

                if timeout == 0 || delay < timeout.try_into().unwrap() {
                    client.read_exact(&mut [0]).unwrap();
                    let state = if fin { KA_STATE_FIN_WAIT2 } else { KA_STATE_ESTABLISHED };
                    wait_until("the state", || tcp_state(client.as_raw_fd()) == state);
                    assert_eq!(error_of(&server), 0);
                } else {
                    assert_eq!(error_of(&client), ETIMEDOUT);
                    let closed = || tcp_state(server.as_raw_fd()) == KA_STATE_CLOSE;
                    wait_until("the reset", closed);
                }
            }));
        }
    }
    cases
}

/// Where gVisor's test uses less than a second for an idle time or interval, this uses a second.
fn dead_peers() -> Vec<Case> {
    vec![
        case(GVISOR, "TestKeepalive: ten probes are answered, the count is 5", || {
            let (mut client, _server) = connected();
            assert_eq!(ka_set(client.as_raw_fd(), 1, 1, 5), 0);
            let seconds = seconds_of_answered_probes(client.as_raw_fd(), 10);
            assert!((9.9..13.0).contains(&seconds), "{seconds} s");
            client.set_nonblocking(true).unwrap();
            assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        }),
        case(GVISOR, "TestKeepalive: none while data waits for its answer, then five", || {
            let (mut client, mut server) = connected();
            let fd = client.as_raw_fd();
            assert_eq!(ka_set(fd, 1, 1, 5), 0);
            silence(fd);
            client.write_all(b"abc").unwrap();
            thread::sleep(Duration::from_secs(4));
            assert_eq!(probes(fd), Some(0));
            let info = tcp_info(fd);
            assert!(info.tcpi_total_retrans > 0 && info.tcpi_unacked == 1);

            hear_again(fd);
            server.write_all(b"x").unwrap();
            client.read_exact(&mut [0]).unwrap();
            silence(server.as_raw_fd());
            let (seen, seconds) = probes_until_dead(&mut client);
            assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
            assert!((5.9..7.5).contains(&seconds), "{seconds} s");
        }),
        case(
            GVISOR,
            "TestKeepaliveWithUserTimeout: it ends the connection after one probe",
            || {
                let (mut client, server) = connected();
                assert_eq!(ka_set(client.as_raw_fd(), 1, 3, 10), 0);
                assert_eq!(ka_apply(client.as_raw_fd(), Some(&only_user_timeout(3000))), 0);
                silence(server.as_raw_fd());
                let (seen, seconds) = probes_until_dead(&mut client);
                assert_eq!(seen, [0, 1]);
                assert!((3.9..5.5).contains(&seconds), "{seconds} s");
            },
        ),
        case(GVISOR, "TestTCPUserTimeout: data that nobody acknowledges, 500 ms", || {
            let (mut client, server) = connected();
            silence(server.as_raw_fd());
            assert_eq!(ka_apply(client.as_raw_fd(), Some(&only_user_timeout(500))), 0);
            client.write_all(b"abc").unwrap();
            let (seconds, error) = until_error(client.as_raw_fd());
            assert_eq!(error, ETIMEDOUT);
            assert!((0.4..2.0).contains(&seconds), "{seconds} s");
        }),
        case(GVISOR, "TestZeroWindowProbeUserTimeout", || {
            let (mut client, server) = connected();
            client.set_nonblocking(true).unwrap();
            while client.write(&[0; 65536]).is_ok() {}
            thread::sleep(Duration::from_millis(300));
            silence(server.as_raw_fd());
            assert_eq!(ka_apply(client.as_raw_fd(), Some(&only_user_timeout(3000))), 0);
            let (seconds, error) = until_error(client.as_raw_fd());
            assert_eq!(error, ETIMEDOUT);
            assert!((2.0..9.0).contains(&seconds), "{seconds} s");
        }),
    ]
}
