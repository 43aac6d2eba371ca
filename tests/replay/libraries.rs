//! The cases of libraries and of CRIU: what is set reads back, and what is refused.

use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;

use keepalive::{KA_DEFAULT, KA_UNCHANGED, ka_apply, ka_disable, ka_options, ka_set};
use libc::{EBADF, c_int};

use crate::common::{
    Settings, only_user_timeout, read_back, set_others, settings, socket, tcp4, user_timeout,
};
use crate::sources::{CRIU, GO, LIBUV, NET_KEEPALIVE, NIX, SOCKET2};
use crate::{
    Case, case, connected, differs, fresh, on, on_pairs, pairs, seconds_of_answered_probes,
};

pub fn cases() -> Vec<Case> {
    [go(), libuv(), net_keepalive(), socket2(), nix_and_criu()].into_iter().flatten().collect()
}

/// Go's `testConfigs`. There, too, 0 is a default and -1 leaves the value as it is. But Go has
/// defaults of its own.
fn go() -> Vec<Case> {
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
            let name = format!("KeepAliveConfig: idle {idle}, interval {intvl}, count {cnt}");
            let case = case(GO, name, move || {
                // Go's tests set a connection that was dialled, one that was accepted, and again
                // one that was dialled; all of them have the system's values before.
                for (client, server) in pairs() {
                    set_as_go_does(client.as_raw_fd(), config);
                    set_as_go_does(server.as_raw_fd(), config);
                    set_others(client.as_raw_fd());
                    set_as_go_does(client.as_raw_fd(), config);
                }
            });
            if config.contains(&0) {
                differs(case, "0 is the system's default, Go's is 15 s, 15 s and 9")
            } else {
                case
            }
        })
        .collect()
}

fn set_as_go_does(fd: c_int, [idle, intvl, cnt]: [c_int; 3]) {
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
}

/// All of these are one test there, on one socket that is not connected. The short form of
/// `uv_tcp_keepalive()` means an interval of one second and a count of ten.
fn libuv() -> Vec<Case> {
    let set = |name, values: [c_int; 3]| {
        case(LIBUV, name, move || {
            let socket = tcp4();
            assert_eq!(ka_set(socket.as_raw_fd(), values[0], values[1], values[2]), 0);
            let [idle, intvl, cnt] = values;
            assert_eq!(settings(socket.as_raw_fd()), on(idle, intvl, cnt));
        })
    };
    let off = |name| {
        case(LIBUV, name, || {
            let socket = tcp4();
            assert_eq!(ka_set(socket.as_raw_fd(), 60, 60, 60), 0);
            assert_eq!(ka_disable(socket.as_raw_fd()), 0);
            assert_eq!(settings(socket.as_raw_fd()), Settings { enabled: Ok(0), ..on(60, 60, 60) });
        })
    };
    let zero = |name, values: [c_int; 3]| {
        let case = case(LIBUV, name, move || {
            let system = fresh();
            let or = |value, default| if value == 0 { default } else { Ok(value) };
            let expected = Settings {
                enabled: Ok(1),
                idle: or(values[0], system.idle),
                intvl: or(values[1], system.intvl),
                cnt: or(values[2], system.cnt),
            };
            on_pairs(values, 0, expected);
        });
        differs(case, "0 is `KA_DEFAULT`, where libuv answers EINVAL")
    };
    vec![
        set("keepalive(1, 60)", [60, 1, 10]),
        off("keepalive(0, 0)"),
        zero("keepalive(1, 0)", [0, 1, 10]),
        set("keepalive_ex(1, 60, 60, 60)", [60, 60, 60]),
        off("keepalive_ex(0, 0, 0, 0)"),
        zero("keepalive_ex(1, 0, 10, 10)", [0, 10, 10]),
        zero("keepalive_ex(1, 10, 0, 10)", [10, 0, 10]),
        zero("keepalive_ex(1, 10, 10, 0)", [10, 10, 0]),
    ]
}

/// Two numbers that are not descriptors; the second is the one in net-keepalive's tests.
const NO_DESCRIPTORS: [c_int; 2] = [-1, -99_999];

fn net_keepalive() -> Vec<Case> {
    let bad_interval = case(NET_KEEPALIVE, "interval: -1 ms, which is 0 s, is refused", || {
        on_pairs([KA_UNCHANGED, 0, KA_UNCHANGED], 0, Settings { enabled: Ok(1), ..fresh() });
    });
    let bad_probes = case(NET_KEEPALIVE, "probes: -1 is refused", || {
        on_pairs([KA_UNCHANGED, KA_UNCHANGED, -1], 0, Settings { enabled: Ok(1), ..fresh() });
    });
    let bad_timeout = case(NET_KEEPALIVE, "user timeout: -1 is refused", || {
        for (client, _server) in pairs() {
            assert_eq!(ka_apply(client.as_raw_fd(), Some(&only_user_timeout(-1))), 0);
            assert_eq!(settings(client.as_raw_fd()), fresh());
        }
    });
    vec![
        case(NET_KEEPALIVE, "constants of Linux", || {
            let options = ka_options();
            assert_eq!(options.ipproto_tcp, 6);
            assert_eq!(options.tcp_keepintvl, 5);
            assert_eq!(options.tcp_keepcnt, 6);
            assert_eq!(options.tcp_user_timeout, 18);
        }),
        case(NET_KEEPALIVE, "interval: 4 s is set and read back", || {
            on_pairs(
                [KA_UNCHANGED, 4, KA_UNCHANGED],
                0,
                Settings { enabled: Ok(1), intvl: Ok(4), ..fresh() },
            );
        }),
        differs(bad_interval, "0 is `KA_DEFAULT`, where Linux answers EINVAL"),
        case(NET_KEEPALIVE, "interval: no descriptor", || {
            for fd in NO_DESCRIPTORS {
                assert_eq!(ka_set(fd, KA_UNCHANGED, 1, KA_UNCHANGED), -EBADF);
                assert_eq!(read_back(fd).map(|settings| settings.intvl), Err(-EBADF));
            }
        }),
        case(NET_KEEPALIVE, "probes: 7 is set and read back", || {
            on_pairs(
                [KA_UNCHANGED, KA_UNCHANGED, 7],
                0,
                Settings { enabled: Ok(1), cnt: Ok(7), ..fresh() },
            );
        }),
        differs(bad_probes, "-1 is `KA_UNCHANGED`, where Linux answers EINVAL"),
        case(NET_KEEPALIVE, "probes: no descriptor", || {
            for fd in NO_DESCRIPTORS {
                assert_eq!(ka_set(fd, KA_UNCHANGED, KA_UNCHANGED, 1), -EBADF);
                assert_eq!(read_back(fd).map(|settings| settings.cnt), Err(-EBADF));
            }
        }),
        case(NET_KEEPALIVE, "user timeout: 4 s is set and read back", || {
            for (client, _server) in pairs() {
                assert_eq!(ka_apply(client.as_raw_fd(), Some(&only_user_timeout(4000))), 0);
                assert_eq!(read_back(client.as_raw_fd()).unwrap().user_timeout_ms, 4000);
            }
        }),
        differs(bad_timeout, "-1 is `KA_UNCHANGED`, where Linux answers EINVAL"),
        case(NET_KEEPALIVE, "user timeout: no descriptor", || {
            for fd in NO_DESCRIPTORS {
                assert_eq!(ka_apply(fd, Some(&only_user_timeout(1))), -EBADF);
                assert_eq!(read_back(fd).map(|settings| settings.user_timeout_ms), Err(-EBADF));
            }
        }),
        case(NET_KEEPALIVE, "on the wire: five probes and five answers within 6 s", || {
            let (mut client, _server) = connected();
            assert_eq!(ka_set(client.as_raw_fd(), 1, 1, 3), 0);
            let seconds = seconds_of_answered_probes(client.as_raw_fd(), 5);
            assert!((4.9..6.0).contains(&seconds), "{seconds} s");
            client.set_nonblocking(true).unwrap();
            assert_eq!(client.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        }),
    ]
}

fn socket2() -> Vec<Case> {
    let versions = [libc::AF_INET, libc::AF_INET6];
    vec![
        case(SOCKET2, "keepalive(true)", move || {
            for version in versions {
                let socket = socket(version, libc::SOCK_STREAM, 0).unwrap();
                assert_eq!(read_back(socket.as_raw_fd()).unwrap().enabled, 0);
                let unchanged = KA_UNCHANGED;
                assert_eq!(ka_set(socket.as_raw_fd(), unchanged, unchanged, unchanged), 0);
                assert_eq!(settings(socket.as_raw_fd()).enabled, Ok(1));
            }
        }),
        case(SOCKET2, "tcp_keepalive: 200 s, 30 s, 10", || {
            let socket = tcp4();
            assert_eq!(ka_set(socket.as_raw_fd(), 200, 30, 10), 0);
            assert_eq!(settings(socket.as_raw_fd()), on(200, 30, 10));
        }),
        case(SOCKET2, "tcp_user_timeout: 10 s", move || {
            for version in versions {
                let socket = socket(version, libc::SOCK_STREAM, 0).unwrap();
                assert_eq!(read_back(socket.as_raw_fd()).unwrap().user_timeout_ms, 0);
                assert_eq!(ka_apply(socket.as_raw_fd(), Some(&only_user_timeout(10_000))), 0);
                assert_eq!(user_timeout(socket.as_raw_fd()), Ok(10_000));
            }
        }),
    ]
}

fn nix_and_criu() -> Vec<Case> {
    vec![
        case(NIX, "test_so_tcp_keepalive: each value raised by one", || {
            let socket = tcp4();
            let fd = socket.as_raw_fd();
            assert_eq!(ka_set(fd, KA_UNCHANGED, KA_UNCHANGED, KA_UNCHANGED), 0);
            let before = read_back(fd).unwrap();
            assert_eq!(before.enabled, 1);
            let (idle, intvl, cnt) = (before.idle + 1, before.intvl + 1, before.cnt + 1);
            assert_eq!(ka_set(fd, idle, KA_UNCHANGED, KA_UNCHANGED), 0);
            assert_eq!(settings(fd), on(idle, before.intvl, before.cnt));
            assert_eq!(ka_set(fd, KA_UNCHANGED, KA_UNCHANGED, cnt), 0);
            assert_eq!(settings(fd), on(idle, before.intvl, cnt));
            assert_eq!(ka_set(fd, KA_UNCHANGED, intvl, KA_UNCHANGED), 0);
            assert_eq!(settings(fd), on(idle, intvl, cnt));
        }),
        case(CRIU, "count 5, idle 10, interval 15, read and put on a new socket", || {
            let (dumped, restored) = (tcp4(), tcp4());
            assert_eq!(ka_set(dumped.as_raw_fd(), 10, 15, 5), 0);
            let image = read_back(dumped.as_raw_fd()).unwrap();
            assert_eq!(image.enabled, 1);
            assert_eq!(ka_set(restored.as_raw_fd(), image.idle, image.intvl, image.cnt), 0);
            assert_eq!(settings(restored.as_raw_fd()), on(10, 15, 5));
        }),
    ]
}
