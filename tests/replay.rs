//! What other projects test about keepalive, replayed against this library: their cases, not their
//! code. Where this library differs on purpose, the difference is what is asserted.
//!
//! The result is docs/replay.md: `KEEPALIVE_WRITE_REPLAY=1 cargo test --test replay` writes it.

mod common;

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use common::{
    Settings, connected, connecting, get_option, other_kinds, set_others, settings, silence, tcp4,
    user_timeout,
};
use keepalive::{
    KA_DEFAULT, KA_UNCHANGED, ka_disable, ka_get_user_timeout, ka_liveness, ka_set,
    ka_set_user_timeout, ka_status,
};
use libc::{EINVAL, SO_ERROR, SOL_SOCKET, c_int};

/// One case of another project.
struct Case {
    project: &'static str,
    name: String,
    /// Why the library does otherwise; none where it does the same.
    difference: Option<&'static str>,
    run: Box<dyn Fn() + Send>,
}

fn case(project: &'static str, name: impl Into<String>, run: impl Fn() + Send + 'static) -> Case {
    Case { project, name: name.into(), difference: None, run: Box::new(run) }
}

fn differs(case: Case, why: &'static str) -> Case {
    Case { difference: Some(why), ..case }
}

fn on(idle: c_int, intvl: c_int, cnt: c_int) -> Settings {
    Settings { enabled: Ok(1), idle: Ok(idle), intvl: Ok(intvl), cnt: Ok(cnt) }
}

fn fresh() -> Settings {
    settings(tcp4().as_raw_fd())
}

/// Sets three values on one end of a new connection, and compares both ends with what is expected.
fn on_a_pair(values: [c_int; 3], returned: c_int, expected: Settings) {
    let (client, server) = connected();
    for end in [client.as_raw_fd(), server.as_raw_fd()] {
        assert_eq!(ka_set(end, values[0], values[1], values[2]), returned);
        assert_eq!(settings(end), expected);
    }
}

const GVISOR: &str = "gVisor, socket_ip_tcp_generic";

fn gvisor() -> Vec<Case> {
    let unchanged = KA_UNCHANGED;
    let mut cases = vec![
        case(GVISOR, "SoKeepaliveDefault", || {
            assert_eq!(settings(connected().0.as_raw_fd()).enabled, Ok(0));
        }),
        case(GVISOR, "SetSoKeepalive: on, off", || {
            let (client, _server) = connected();
            let fd = client.as_raw_fd();
            assert_eq!(ka_set(fd, KA_UNCHANGED, KA_UNCHANGED, KA_UNCHANGED), 0);
            assert_eq!(settings(fd).enabled, Ok(1));
            assert_eq!(ka_disable(fd), 0);
            assert_eq!(settings(fd).enabled, Ok(0));
        }),
        case(GVISOR, "TCPKeepidleDefault, TCPKeepintvlDefault, TCPKeepcountDefault", || {
            let system = keepalive::ka_defaults();
            let kernel = settings(connected().0.as_raw_fd());
            assert_eq!(
                [Ok(system.idle), Ok(system.intvl), Ok(system.cnt)],
                [kernel.idle, kernel.intvl, kernel.cnt]
            );
        }),
        case(GVISOR, "TCPUserTimeoutDefault", || {
            assert_eq!(ka_get_user_timeout(connected().0.as_raw_fd()), 0);
        }),
        case(GVISOR, "SetTCPKeepcountToOne", move || {
            on_a_pair(
                [unchanged, unchanged, 1],
                0,
                Settings { enabled: Ok(1), cnt: Ok(1), ..fresh() },
            );
        }),
        case(GVISOR, "SetTCPKeepcountToNegative (-5)", move || {
            on_a_pair([unchanged, unchanged, -5], -EINVAL, fresh());
        }),
    ];
    for (name, place, max) in
        [("Keepidle", 0, 32_767), ("Keepintvl", 1, 32_767), ("Keepcount", 2, 127)]
    {
        let with = move |value| {
            let mut values = [KA_UNCHANGED; 3];
            values[place] = value;
            values
        };
        let zero = case(GVISOR, format!("SetTCP{name}Zero"), move || {
            on_a_pair(with(0), 0, Settings { enabled: Ok(1), ..fresh() });
        });
        cases.push(differs(zero, "0 is `KA_DEFAULT`, where Linux answers EINVAL"));
        cases.push(case(GVISOR, format!("SetTCP{name}AboveMax"), move || {
            on_a_pair(with(max + 1), -EINVAL, fresh());
        }));
        cases.push(case(GVISOR, format!("SetTCP{name}ToMax"), move || {
            let mut expected = Settings { enabled: Ok(1), ..fresh() };
            *[&mut expected.idle, &mut expected.intvl, &mut expected.cnt][place] = Ok(max);
            on_a_pair(with(max), 0, expected);
        }));
    }
    for (name, value, returned, left) in [
        ("SetTCPUserTimeoutZero", 0, 0, 0),
        ("SetTCPUserTimeoutBelowZero (-10)", -10, -EINVAL, 0),
        ("SetTCPUserTimeoutAboveZero (10)", 10, 0, 10),
    ] {
        cases.push(case(GVISOR, name, move || {
            let (client, _server) = connected();
            assert_eq!(ka_set_user_timeout(client.as_raw_fd(), value), returned);
            assert_eq!(user_timeout(client.as_raw_fd()), Ok(left));
        }));
    }
    let others =
        case("gVisor, sockets that are not TCP", "SO_KEEPALIVE can be set on all of them", || {
            for kind in other_kinds() {
                let before = settings(kind.fd);
                assert_eq!(ka_set(kind.fd, 60, 10, 6), -kind.errno, "{}", kind.name);
                assert_eq!(settings(kind.fd), before, "{}", kind.name);
            }
        });
    cases.push(differs(others, "what is not TCP is refused, and stays as it was"));
    cases
}

/// Go's `testConfigs`; zero and -1 have the same two meanings there, but Go's zero is its own default.
fn go() -> Vec<Case> {
    const GO: &str = "Go, net: KeepAliveConfig";
    let configs = [
        [5, 3, 10],
        [0, 0, 0],
        [-1, -1, -1],
        [-1, 3, 10],
        [5, -1, 10],
        [5, 3, -1],
        [-1, -1, 10],
        [-1, 3, -1],
        [5, -1, -1],
        [0, 3, 10],
        [5, 0, 10],
        [5, 3, 0],
        [0, 0, 10],
        [0, 3, 0],
        [5, 0, 0],
    ];
    configs
        .into_iter()
        .map(|config| {
            let [idle, intvl, cnt] = config;
            let case = case(GO, format!("idle {idle}, interval {intvl}, count {cnt}"), move || {
                let (client, _server) = connected();
                let fd = client.as_raw_fd();
                set_others(fd);
                let (before, system) = (settings(fd), fresh());
                let meant = |value, default, before| match value {
                    KA_DEFAULT => default,
                    KA_UNCHANGED => before,
                    plain => Ok(plain),
                };
                assert_eq!(ka_set(fd, idle, intvl, cnt), 0);
                let expected = Settings {
                    enabled: Ok(1),
                    idle: meant(idle, system.idle, before.idle),
                    intvl: meant(intvl, system.intvl, before.intvl),
                    cnt: meant(cnt, system.cnt, before.cnt),
                };
                assert_eq!(settings(fd), expected);
            });
            if config.contains(&0) {
                differs(case, "0 is the system's default, Go's is 15 s, 15 s and 9")
            } else {
                case
            }
        })
        .collect()
}

fn libuv() -> Vec<Case> {
    const LIBUV: &str = "libuv, uv_tcp_keepalive and _ex";
    let zero = |name, values: [c_int; 3], left: fn(Settings) -> Settings| {
        let case = case(LIBUV, name, move || {
            on_a_pair(values, 0, Settings { enabled: Ok(1), ..left(fresh()) });
        });
        differs(case, "0 is `KA_DEFAULT`, where libuv answers EINVAL")
    };
    vec![
        case(LIBUV, "keepalive(on, 60)", || {
            on_a_pair(
                [60, KA_UNCHANGED, KA_UNCHANGED],
                0,
                Settings { enabled: Ok(1), idle: Ok(60), ..fresh() },
            );
        }),
        case(LIBUV, "keepalive(off)", || {
            let (client, _server) = connected();
            assert_eq!(ka_set(client.as_raw_fd(), 60, 10, 6), 0);
            assert_eq!(ka_disable(client.as_raw_fd()), 0);
            assert_eq!(settings(client.as_raw_fd()), Settings { enabled: Ok(0), ..on(60, 10, 6) });
        }),
        case(LIBUV, "keepalive_ex(on, 10, 10, 10)", || on_a_pair([10, 10, 10], 0, on(10, 10, 10))),
        zero("keepalive_ex(on, 0, 10, 10)", [0, 10, 10], |system| Settings {
            intvl: Ok(10),
            cnt: Ok(10),
            ..system
        }),
        zero("keepalive_ex(on, 10, 0, 10)", [10, 0, 10], |system| Settings {
            idle: Ok(10),
            cnt: Ok(10),
            ..system
        }),
        zero("keepalive_ex(on, 10, 10, 0)", [10, 10, 0], |system| Settings {
            idle: Ok(10),
            intvl: Ok(10),
            ..system
        }),
    ]
}

fn net_keepalive() -> Vec<Case> {
    const NET: &str = "net-keepalive (npm)";
    vec![
        case(NET, "an interval other than the system's is set and read back", || {
            on_a_pair(
                [KA_UNCHANGED, 2, KA_UNCHANGED],
                0,
                Settings { enabled: Ok(1), intvl: Ok(2), ..fresh() },
            );
        }),
        case(NET, "a number of probes other than the system's is set and read back", || {
            on_a_pair(
                [KA_UNCHANGED, KA_UNCHANGED, 3],
                0,
                Settings { enabled: Ok(1), cnt: Ok(3), ..fresh() },
            );
        }),
        case(NET, "a user timeout other than the system's is set and read back", || {
            let (client, _server) = connected();
            assert_eq!(ka_set_user_timeout(client.as_raw_fd(), 1100), 0);
            assert_eq!(ka_get_user_timeout(client.as_raw_fd()), 1100);
        }),
        case(NET, "five probes, one each second, go out (counted by the kernel)", || {
            let (mut client, server) = connected();
            silence(server.as_raw_fd());
            assert_eq!(ka_set(client.as_raw_fd(), 1, 1, 5), 0);
            let started = Instant::now();
            let mut seen = Vec::new();
            client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let error = loop {
                if let Some(probes) = probes(&client).filter(|probes| !seen.contains(probes)) {
                    seen.push(probes);
                }
                match client.read(&mut [0]) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    other => break other.expect_err("an error"),
                }
            };
            assert_eq!(error.kind(), ErrorKind::TimedOut);
            assert_eq!(seen, [0, 1, 2, 3, 4, 5]);
            assert!(
                (5.9..7.5).contains(&started.elapsed().as_secs_f64()),
                "{:?}",
                started.elapsed()
            );
        }),
    ]
}

fn probes(client: &TcpStream) -> Option<c_int> {
    let mut liveness = std::mem::MaybeUninit::<ka_liveness>::uninit();
    // SAFETY: 0 says that it was written.
    (ka_status(client.as_raw_fd(), Some(&mut liveness)) == 0)
        .then(|| unsafe { liveness.assume_init() }.probes)
}

fn rust() -> Vec<Case> {
    vec![
        case("socket2, tests/socket.rs", "keepalive is off, on and off again", || {
            let socket = tcp4();
            assert_eq!(settings(socket.as_raw_fd()).enabled, Ok(0));
            assert_eq!(ka_set(socket.as_raw_fd(), -1, -1, -1), 0);
            assert_eq!(settings(socket.as_raw_fd()).enabled, Ok(1));
            assert_eq!(ka_disable(socket.as_raw_fd()), 0);
            assert_eq!(settings(socket.as_raw_fd()).enabled, Ok(0));
        }),
        case("socket2, tests/socket.rs", "set_tcp_keepalive(200, 30, 10) reads back", || {
            on_a_pair([200, 30, 10], 0, on(200, 30, 10));
        }),
        case("socket2, tests/socket.rs", "tcp_user_timeout of ten seconds reads back", || {
            let socket = tcp4();
            assert_eq!(ka_set_user_timeout(socket.as_raw_fd(), 10_000), 0);
            assert_eq!(ka_get_user_timeout(socket.as_raw_fd()), 10_000);
        }),
        case("nix, test_so_tcp_keepalive", "each value raised by one reads back", || {
            let [idle, intvl, cnt] =
                [fresh().idle, fresh().intvl, fresh().cnt].map(|value| value.unwrap() + 1);
            on_a_pair([idle, intvl, cnt], 0, on(idle, intvl, cnt));
        }),
        case(
            "CRIU, socket-tcp-keepalive",
            "count 5, idle 10, interval 15 make the round trip",
            || {
                on_a_pair([10, 15, 5], 0, on(10, 15, 5));
            },
        ),
    ]
}

/// How long it takes until the socket has an error, and which.
fn verdict(socket: c_int) -> (f64, c_int) {
    let started = Instant::now();
    loop {
        match get_option(socket, SOL_SOCKET, SO_ERROR).unwrap() {
            0 if started.elapsed() < Duration::from_secs(20) => {
                thread::sleep(Duration::from_millis(20));
            }
            error => return (started.elapsed().as_secs_f64(), error),
        }
    }
}

fn packetdrill() -> Vec<Case> {
    const LINUX: &str = "Linux, packetdrill: tcp_user_timeout";
    vec![
        case(LINUX, "unacknowledged data: dead after the timeout", || {
            let (mut client, server) = connected();
            silence(server.as_raw_fd());
            assert_eq!(ka_set_user_timeout(client.as_raw_fd(), 3000), 0);
            client.write_all(b"x").unwrap();
            let (seconds, error) = verdict(client.as_raw_fd());
            assert_eq!(error, libc::ETIMEDOUT);
            assert!((2.9..5.0).contains(&seconds), "{seconds} s");
        }),
        case(LINUX, "a peer that keeps its window closed and answers no probe: dead", || {
            let (mut client, server) = connected();
            client.set_nonblocking(true).unwrap();
            while client.write(&[0; 65536]).is_ok() {}
            thread::sleep(Duration::from_millis(300));
            silence(server.as_raw_fd());
            assert_eq!(ka_set_user_timeout(client.as_raw_fd(), 3000), 0);
            let (seconds, error) = verdict(client.as_raw_fd());
            assert_eq!(error, libc::ETIMEDOUT);
            assert!((2.0..9.0).contains(&seconds), "{seconds} s");
        }),
        case(
            LINUX,
            "a connection that is not answered (SYN_SENT): given up after the timeout",
            || {
                let (_listener, socket): (Vec<OwnedFd>, OwnedFd) = connecting();
                assert_eq!(ka_set_user_timeout(socket.as_raw_fd(), 2000), 0);
                let (seconds, error) = verdict(socket.as_raw_fd());
                assert_eq!(error, libc::ETIMEDOUT);
                assert!((0.5..5.0).contains(&seconds), "{seconds} s");
            },
        ),
    ]
}

#[test]
fn the_cases_of_others_come_out_as_docs_replay_md_says() {
    let groups = [gvisor(), go(), libuv(), net_keepalive(), rust(), packetdrill()];
    // In a thread each, because some wait for seconds. A case that fails panics, with its name.
    let running: Vec<_> = groups
        .into_iter()
        .flatten()
        .map(|Case { project, name, difference, run }| {
            let thread = thread::Builder::new().name(format!("{project}: {name}")).spawn(run);
            (project, name, difference, thread.unwrap())
        })
        .collect();
    let mut rows = String::new();
    let (mut same, mut different, mut failed) = (0, 0, Vec::new());
    for (project, name, difference, thread) in running {
        if thread.join().is_err() {
            failed.push(format!("{project}: {name}"));
            continue;
        }
        *if difference.is_some() { &mut different } else { &mut same } += 1;
        let outcome = difference.map_or("passes".into(), |why| format!("**differs**: {why}"));
        writeln!(rows, "| {project} | {name} | {outcome} |").unwrap();
    }
    assert!(failed.is_empty(), "failed: {failed:#?}");

    let page = include_str!("replay.md.in")
        .replace("@SAME@", &same.to_string())
        .replace("@DIFFERENT@", &different.to_string())
        .replace("@ROWS@\n", &rows);
    if std::env::var_os("KEEPALIVE_WRITE_REPLAY").is_some() {
        std::fs::write("docs/replay.md", &page).unwrap();
    }
    let committed = std::fs::read_to_string("docs/replay.md").unwrap_or_default();
    assert!(
        committed == page,
        "docs/replay.md is stale: KEEPALIVE_WRITE_REPLAY=1 cargo test --test replay"
    );
}
