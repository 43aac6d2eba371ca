//! `ka_set`, `ka_get`, `ka_disable` and `ka_defaults`, against the kernel. apply.rs has `ka_apply`.

mod common;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use common::{
    CNT, IDLE, INTVL, Kind, OTHER, Settings, at_number, check, connected, fill_table, get_option,
    in_child, kernel, only_user_timeout, other_kinds, raw, read_back, refuse, set_option,
    set_others, settings, socket, sysctl, tcp_kinds, tcp4, user_timeout, with_own_network,
};
use keepalive::{
    KA_DEFAULT, KA_UNCHANGED, ka_apply, ka_defaults, ka_disable, ka_get, ka_set, ka_settings,
};
use libc::{IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, c_int};

/// The largest values, as the manual gives them for Linux.
const MAX_IDLE: c_int = 32_767;
const MAX_INTVL: c_int = 32_767;
const MAX_CNT: c_int = 127;

/// What an untouched socket reads back.
fn fresh() -> Settings {
    settings(tcp4().as_raw_fd())
}

fn on(idle: c_int, intvl: c_int, cnt: c_int) -> Settings {
    Settings { enabled: Ok(1), idle: Ok(idle), intvl: Ok(intvl), cnt: Ok(cnt) }
}

/// A plain value, `KA_DEFAULT` and `KA_UNCHANGED` for each of the three, in every combination.
fn mixes() -> impl Iterator<Item = [c_int; 3]> {
    let choices = |plain| [plain, KA_DEFAULT, KA_UNCHANGED];
    choices(60).into_iter().flat_map(move |idle| {
        choices(10).into_iter().flat_map(move |intvl| choices(6).map(|cnt| [idle, intvl, cnt]))
    })
}

#[test]
fn sets_what_was_asked_for_on_every_kind_of_tcp_socket() {
    for Kind { name, fd, .. } in &tcp_kinds() {
        assert_eq!(ka_set(*fd, 60, 10, 6), 0, "{name}");
        assert_eq!(settings(*fd), on(60, 10, 6), "{name}");
        assert_eq!(read_back(*fd), Ok(kernel(*fd)), "{name}");
    }
}

#[test]
fn every_mix_of_values_defaults_and_unchanged_gives_each_its_meaning() {
    let system = fresh();
    for Kind { name, fd, .. } in &tcp_kinds() {
        for [idle, intvl, cnt] in mixes() {
            set_others(*fd);
            set_option(*fd, SOL_SOCKET, SO_KEEPALIVE, 0).unwrap();
            let meaning = |value, default, before| match value {
                KA_DEFAULT => default,
                KA_UNCHANGED => before,
                plain => Ok(plain),
            };
            assert_eq!(ka_set(*fd, idle, intvl, cnt), 0, "{name} {idle} {intvl} {cnt}");
            let expected = Settings {
                enabled: Ok(1),
                idle: meaning(idle, system.idle, OTHER.idle),
                intvl: meaning(intvl, system.intvl, OTHER.intvl),
                cnt: meaning(cnt, system.cnt, OTHER.cnt),
            };
            assert_eq!(settings(*fd), expected, "{name} {idle} {intvl} {cnt}");
        }
    }
}

#[test]
fn unchanged_on_a_fresh_socket_keeps_following_the_sysctl() {
    with_own_network(|| {
        let socket = tcp4();
        assert_eq!(ka_set(socket.as_raw_fd(), KA_UNCHANGED, KA_UNCHANGED, KA_UNCHANGED), 0);
        sysctl("tcp_keepalive_time", "100");
        assert_eq!(settings(socket.as_raw_fd()).idle, Ok(100));
    });
}

#[test]
fn accepts_a_value_if_and_only_if_the_kernel_does() {
    let library = tcp4();
    let library = library.as_raw_fd();
    let kernel = tcp4();
    let kernel = kernel.as_raw_fd();
    let edges = [c_int::MIN, c_int::MIN + 1, -32_768, c_int::MAX - 1, c_int::MAX];
    let values =
        || (-300..=33_000).chain(edges).filter(|v| ![KA_DEFAULT, KA_UNCHANGED].contains(v));
    for (option, place, max) in [(IDLE, 0, MAX_IDLE), (INTVL, 1, MAX_INTVL), (CNT, 2, MAX_CNT)] {
        for value in values() {
            let mut three = [KA_UNCHANGED; 3];
            three[place] = value;
            let before = settings(library);
            let accepted = set_option(kernel, IPPROTO_TCP, option, value).is_ok();
            assert_eq!(accepted, (1..=max).contains(&value), "the kernel on {option}: {value}");
            let returned = ka_set(library, three[0], three[1], three[2]);
            assert_eq!(returned, if accepted { 0 } else { -libc::EINVAL }, "{option}: {value}");
            if accepted {
                assert_eq!(get_option(library, IPPROTO_TCP, option), Ok(value));
            } else {
                assert_eq!(settings(library), before, "{option}: {value}");
            }
        }
    }
}

#[test]
fn one_refused_value_among_good_ones_leaves_everything_as_it_was() {
    let bad = |max: c_int| [c_int::MIN, -2, max + 1, c_int::MAX];
    let with = |place: usize, value| {
        let mut three = [60, 10, 6];
        three[place] = value;
        three
    };
    let refused = [MAX_IDLE, MAX_INTVL, MAX_CNT]
        .into_iter()
        .enumerate()
        .flat_map(|(place, max)| bad(max).map(|value| with(place, value)));
    for [idle, intvl, cnt] in refused {
        for Kind { name, fd, .. } in &tcp_kinds() {
            let before = settings(*fd);
            assert_eq!(ka_set(*fd, idle, intvl, cnt), -libc::EINVAL, "{name}");
            assert_eq!(settings(*fd), before, "{name} {idle} {intvl} {cnt}");
            set_others(*fd);
            assert_eq!(ka_set(*fd, idle, intvl, cnt), -libc::EINVAL, "{name}");
            assert_eq!(settings(*fd), OTHER, "{name} {idle} {intvl} {cnt}");
        }
    }
}

#[test]
fn a_refused_value_is_reported_before_a_bad_descriptor() {
    assert_eq!(ka_set(-1, 0, 0, 128), -libc::EINVAL);
}

#[test]
fn idle_may_be_longer_or_shorter_than_the_systems_default() {
    let socket = tcp4();
    let system = fresh().idle.unwrap();
    for idle in [system - 1, system, system + 1, MAX_IDLE, 1] {
        assert_eq!(ka_set(socket.as_raw_fd(), idle, 1, 1), 0);
        assert_eq!(settings(socket.as_raw_fd()), on(idle, 1, 1));
    }
}

/// Every function that takes a descriptor refuses sockets that are not TCP with the kernel's errno
/// and leaves them alone, whether their `SO_KEEPALIVE` was off or on.
///
/// The kernel has two: on a UDP socket setsockopt(2) says `ENOPROTOOPT`, getsockopt(2) `EOPNOTSUPP`.
fn refused_and_untouched(kind: &Kind) {
    let Kind { name, fd, errno: setting, .. } = kind;
    assert_eq!(set_option(*fd, IPPROTO_TCP, IDLE, 60), Err(*setting), "the kernel on {name}");
    let getting = get_option(*fd, IPPROTO_TCP, IDLE).unwrap_err();
    for enabled in [0, 1] {
        let is_socket = set_option(*fd, SOL_SOCKET, SO_KEEPALIVE, enabled).is_ok();
        let before = settings(*fd);
        assert_eq!(before.enabled.is_ok(), is_socket, "{name}");
        for [idle, intvl, cnt] in mixes() {
            let unchanged = [idle, intvl, cnt] == [KA_UNCHANGED; 3];
            let errno = if unchanged { &getting } else { setting };
            assert_eq!(ka_set(*fd, idle, intvl, cnt), -errno, "{name} {idle} {intvl} {cnt}");
        }
        assert_eq!(ka_disable(*fd), -getting, "{name}");
        assert_eq!(read_back(*fd), Err(-getting), "{name}");
        assert_eq!(settings(*fd), before, "{name}");
    }
}

#[test]
fn refuses_what_is_not_a_tcp_socket_and_leaves_it_alone() {
    let kinds = other_kinds();
    assert!(kinds.len() >= 14, "kinds of descriptors are missing");
    for kind in &kinds {
        refused_and_untouched(kind);
    }
}

#[test]
fn refuses_raw_sockets_and_leaves_them_alone() {
    with_own_network(|| refused_and_untouched(&raw()));
}

#[test]
fn refuses_a_closed_descriptor() {
    in_child(|| {
        let fd = tcp4().as_raw_fd(); // and closed again
        assert_eq!(ka_set(fd, 60, 10, 6), -libc::EBADF);
        assert_eq!(ka_disable(fd), -libc::EBADF);
        assert_eq!(read_back(fd), Err(-libc::EBADF));
    });
}

#[test]
fn accepted_connections_inherit_from_the_listener() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    assert_eq!(ka_set(listener.as_raw_fd(), 60, 10, 6), 0);
    assert_eq!(ka_apply(listener.as_raw_fd(), Some(&only_user_timeout(120_000))), 0);
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    assert_eq!(settings(accepted.as_raw_fd()), on(60, 10, 6));
    assert_eq!(user_timeout(accepted.as_raw_fd()), Ok(120_000));
}

#[test]
fn settings_made_while_connecting_stay_on_the_connection() {
    let (client, _server) = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let fd = socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0).unwrap();
        let address = listener.local_addr().unwrap().into();
        assert_eq!(ka_set(fd.as_raw_fd(), 60, 10, 6), 0);
        let _in_progress = socket2::SockRef::from(&fd).connect(&address);
        (TcpStream::from(fd), listener.accept().unwrap().0)
    };
    assert_eq!(settings(client.as_raw_fd()), on(60, 10, 6));
}

#[test]
fn disable_keeps_the_values_and_unchanged_brings_them_back() {
    for Kind { name, fd, .. } in &tcp_kinds() {
        set_others(*fd);
        for _twice in 0..2 {
            assert_eq!(ka_disable(*fd), 0, "{name}");
            assert_eq!(settings(*fd), Settings { enabled: Ok(0), ..OTHER }, "{name}");
        }
        assert_eq!(ka_set(*fd, KA_UNCHANGED, KA_UNCHANGED, KA_UNCHANGED), 0, "{name}");
        assert_eq!(settings(*fd), OTHER, "{name}");
    }
}

#[test]
fn get_without_a_place_is_efault_and_a_failed_one_writes_nothing() {
    assert_eq!(ka_get(tcp4().as_raw_fd(), None), -libc::EFAULT);
    assert_eq!(read_back(-1), Err(-libc::EBADF));
}

#[test]
fn defaults_are_what_a_fresh_socket_has() {
    assert_eq!(ka_defaults(), kernel(tcp4().as_raw_fd()));
}

#[test]
fn defaults_follow_the_sysctls_and_a_socket_once_set_does_not() {
    with_own_network(|| {
        let write = |idle, intvl, cnt| {
            sysctl("tcp_keepalive_time", idle);
            sysctl("tcp_keepalive_intvl", intvl);
            sysctl("tcp_keepalive_probes", cnt);
        };
        write("600", "30", "5");
        let expected = ka_settings { enabled: 0, idle: 600, intvl: 30, cnt: 5, user_timeout_ms: 0 };
        assert_eq!(ka_defaults(), expected);

        let socket = tcp4();
        assert_eq!(ka_set(socket.as_raw_fd(), KA_DEFAULT, KA_DEFAULT, KA_DEFAULT), 0);
        write("700", "40", "6");
        assert_eq!(ka_defaults(), ka_settings { idle: 700, intvl: 40, cnt: 6, ..expected });
        assert_eq!(settings(socket.as_raw_fd()), on(600, 30, 5));
    });
}

#[test]
fn a_system_default_too_large_to_be_written_is_kept_by_sockets_that_have_it() {
    with_own_network(|| {
        sysctl("tcp_keepalive_time", "86400");
        sysctl("tcp_keepalive_probes", "200");
        let socket = tcp4();
        assert_eq!(ka_set(socket.as_raw_fd(), KA_DEFAULT, 10, KA_DEFAULT), 0);
        assert_eq!(settings(socket.as_raw_fd()), on(86_400, 10, 200));
    });
}

#[test]
fn a_system_default_that_cannot_be_written_is_erange_and_nothing_changes() {
    with_own_network(|| {
        let socket = tcp4();
        let fd = socket.as_raw_fd();
        for (name, impossible, [idle, intvl, cnt]) in [
            ("tcp_keepalive_time", "86400", [KA_DEFAULT, 10, 6]),
            ("tcp_keepalive_time", "0", [KA_DEFAULT, 10, 6]),
            ("tcp_keepalive_intvl", "32768", [60, KA_DEFAULT, 6]),
            ("tcp_keepalive_probes", "128", [60, 10, KA_DEFAULT]),
            ("tcp_keepalive_probes", "0", [60, 10, KA_DEFAULT]),
        ] {
            set_others(fd);
            set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0).unwrap();
            sysctl(name, impossible);
            assert_eq!(ka_set(fd, idle, intvl, cnt), -libc::ERANGE, "{name} {impossible}");
            assert_eq!(settings(fd), Settings { enabled: Ok(0), ..OTHER }, "{name} {impossible}");
            sysctl(name, "20");
        }
    });
}

#[test]
fn defaults_and_set_work_on_a_host_without_ipv4() {
    in_child(|| {
        let expected = ka_defaults();
        let socket = socket(libc::AF_INET6, libc::SOCK_STREAM, 0).unwrap();
        refuse(libc::SYS_socket, 0, libc::AF_INET, libc::EAFNOSUPPORT);
        assert_eq!(
            common::socket(libc::AF_INET, libc::SOCK_STREAM, 0).err(),
            Some(libc::EAFNOSUPPORT)
        );
        assert_eq!(ka_defaults(), expected);
        assert_eq!(ka_set(socket.as_raw_fd(), KA_DEFAULT, 10, KA_DEFAULT), 0);
        assert_eq!(settings(socket.as_raw_fd()), on(expected.idle, 10, expected.cnt));
    });
}

#[test]
fn defaults_say_so_on_a_host_without_any_tcp() {
    in_child(|| {
        refuse(libc::SYS_socket, 0, libc::AF_INET, libc::EAFNOSUPPORT);
        refuse(libc::SYS_socket, 0, libc::AF_INET6, libc::EAFNOSUPPORT);
        assert_eq!(ka_defaults(), ka_settings::failed(libc::EAFNOSUPPORT));
    });
}

#[test]
fn only_the_defaults_need_a_free_descriptor() {
    in_child(|| {
        let socket = tcp4();
        let fd = socket.as_raw_fd();
        let before = settings(fd);
        fill_table();
        assert_eq!(ka_defaults(), ka_settings::failed(libc::EMFILE));
        assert_eq!(ka_set(fd, KA_DEFAULT, 10, 6), -libc::EMFILE);
        assert_eq!(settings(fd), before);
        assert_eq!(ka_set(fd, 60, 10, KA_UNCHANGED), 0);
        assert_eq!(ka_set(fd, KA_UNCHANGED, KA_UNCHANGED, 6), 0);
        assert_eq!(settings(fd), on(60, 10, 6));
        assert_eq!(read_back(fd), Ok(kernel(fd)));
        assert_eq!(ka_disable(fd), 0);
    });
}

#[test]
fn no_function_leaves_a_descriptor_open() {
    in_child(|| {
        let socket = tcp4();
        ka_set(socket.as_raw_fd(), KA_DEFAULT, KA_DEFAULT, KA_DEFAULT);
        ka_set(-1, KA_DEFAULT, KA_DEFAULT, KA_DEFAULT);
        ka_defaults();
        assert_eq!(read_back(socket.as_raw_fd()).map(|settings| settings.enabled), Ok(1));
        assert_eq!(tcp4().as_raw_fd(), socket.as_raw_fd() + 1);
    });
}

/// A security policy may refuse what the kernel would accept. Then keepalive stays off.
#[test]
fn a_call_refused_by_a_policy_is_reported_and_keepalive_stays_off() {
    let system = fresh();
    let (idle, intvl, cnt) = (Ok(60), Ok(10), Ok(6));
    for (refused, left) in [
        (INTVL, system),
        (CNT, Settings { intvl, ..system }),
        (IDLE, Settings { intvl, cnt, ..system }),
    ] {
        in_child(|| {
            let socket = tcp4();
            refuse(libc::SYS_setsockopt, 2, refused, libc::EPERM);
            assert_eq!(ka_set(socket.as_raw_fd(), 60, 10, 6), -libc::EPERM, "{refused}");
            assert_eq!(settings(socket.as_raw_fd()), left, "{refused}");
        });
    }
    in_child(|| {
        let socket = tcp4();
        refuse(libc::SYS_setsockopt, 2, SO_KEEPALIVE, libc::EACCES);
        assert_eq!(ka_set(socket.as_raw_fd(), 60, 10, 6), -libc::EACCES);
        assert_eq!(settings(socket.as_raw_fd()), Settings { idle, intvl, cnt, ..system });
    });
}

#[test]
fn descriptor_zero_is_a_descriptor_like_any_other() {
    in_child(|| {
        let zero = at_number(tcp4(), 0);
        assert_eq!(ka_set(0, 60, 10, 6), 0);
        assert_eq!(settings(zero.as_raw_fd()), on(60, 10, 6));
    });
}

#[test]
fn a_duplicate_is_the_same_socket() {
    let (client, _server) = connected();
    let duplicate = client.try_clone().unwrap();
    assert_eq!(ka_set(duplicate.as_raw_fd(), 60, 10, 6), 0);
    assert_eq!(settings(client.as_raw_fd()), on(60, 10, 6));
}

#[test]
fn threads_set_their_sockets_without_disturbing_each_other() {
    std::thread::scope(|scope| {
        for thread in 1..=8 {
            scope.spawn(move || {
                let socket = tcp4();
                for round in 1..=200 {
                    assert_eq!(ka_set(socket.as_raw_fd(), thread * round, thread, thread), 0);
                    assert_eq!(settings(socket.as_raw_fd()), on(thread * round, thread, thread));
                }
            });
        }
    });
}

#[test]
fn setting_leaves_errno_alone_where_it_succeeds() {
    // The manual promises nothing about errno. But programs are used to setsockopt(2), which keeps it.
    // SAFETY: errno's address is valid in every thread.
    unsafe { *libc::__errno_location() = 0 };
    let socket = tcp4();
    assert_eq!(ka_set(socket.as_raw_fd(), 60, 10, 6), 0);
    assert_eq!(common::errno(), 0);
    assert!(check(0).is_ok());
}
