//! `ka_apply`, against the kernel: it sets all five values or none, and accepts what `ka_get` read.

mod common;

use std::os::fd::AsRawFd;

use common::{
    CNT, IDLE, INTVL, Kind, OTHER, Settings, UNCHANGED, USER_TIMEOUT, in_child, kernel,
    only_user_timeout, other_kinds, raw, read_back, refuse, set_option, set_others, settings,
    shell, socket, sysctl, tcp_kinds, tcp4, user_timeout, with_own_network,
};
use keepalive::{KA_DEFAULT, KA_UNCHANGED, ka_apply, ka_defaults, ka_detect_within, ka_settings};
use libc::{EINVAL, IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, c_int};

/// The largest values, as the manual gives them for Linux.
const MAX_IDLE: c_int = 32_767;
const MAX_INTVL: c_int = 32_767;
const MAX_CNT: c_int = 127;

/// What the tests apply. Each value differs from the one in [`OTHER`].
const MINE: ka_settings =
    ka_settings { enabled: 1, idle: 60, intvl: 10, cnt: 6, user_timeout_ms: 120_000 };

/// The user timeout that goes with [`OTHER`].
const OTHER_TIMEOUT: c_int = 7000;

fn apply(fd: c_int, settings: ka_settings) -> c_int {
    ka_apply(fd, Some(&settings))
}

/// All five values as getsockopt(2) reads them, or its errno for each.
fn five(fd: c_int) -> (Settings, Result<c_int, c_int>) {
    (settings(fd), user_timeout(fd))
}

/// Every TCP socket that has a user timeout; MPTCP has none.
fn tcp_with_user_timeout() -> Vec<Kind> {
    tcp_kinds().into_iter().filter(|kind| kind.name != "mptcp").collect()
}

/// The same settings, without the user timeout for MPTCP, which has none.
fn for_kind(kind: &Kind, settings: ka_settings) -> ka_settings {
    if kind.name == "mptcp" {
        ka_settings { user_timeout_ms: KA_UNCHANGED, ..settings }
    } else {
        settings
    }
}

/// Puts other values than [`MINE`] on a TCP socket, without the library.
fn set_five_others(kind: &Kind, enabled: c_int) {
    set_others(kind.fd);
    set_option(kind.fd, SOL_SOCKET, SO_KEEPALIVE, enabled).unwrap();
    if kind.name != "mptcp" {
        set_option(kind.fd, IPPROTO_TCP, USER_TIMEOUT, OTHER_TIMEOUT).unwrap();
    }
}

/// Each member of the structure in turn, by name, with a way to change it.
type Member = (&'static str, fn(&mut ka_settings) -> &mut c_int);
const MEMBERS: [Member; 5] = [
    ("enabled", |settings| &mut settings.enabled),
    ("idle", |settings| &mut settings.idle),
    ("intvl", |settings| &mut settings.intvl),
    ("cnt", |settings| &mut settings.cnt),
    ("user_timeout_ms", |settings| &mut settings.user_timeout_ms),
];

#[test]
fn sets_all_five_on_every_kind_of_tcp_socket() {
    for kind in &tcp_kinds() {
        for enabled in [1, 0] {
            let mine = for_kind(kind, ka_settings { enabled, ..MINE });
            set_five_others(kind, 1 - enabled);
            assert_eq!(apply(kind.fd, mine), 0, "{}", kind.name);
            assert_eq!(kernel(kind.fd), mine, "{}", kind.name);
        }
    }
}

#[test]
fn every_mix_of_values_defaults_and_unchanged_gives_each_its_meaning() {
    let system = kernel(tcp4().as_raw_fd());
    let choices = |plain| [plain, KA_DEFAULT, KA_UNCHANGED];
    let meaning = |value, default, before| match value {
        KA_DEFAULT => default,
        KA_UNCHANGED => before,
        plain => plain,
    };
    let number = |at: usize| {
        let choice = |place: u32, of: [c_int; 3]| of[at / 3_usize.pow(place) % 3];
        ka_settings {
            enabled: choice(0, [1, 0, KA_UNCHANGED]),
            idle: choice(1, choices(MINE.idle)),
            intvl: choice(2, choices(MINE.intvl)),
            cnt: choice(3, choices(MINE.cnt)),
            user_timeout_ms: choice(4, [MINE.user_timeout_ms, 0, KA_UNCHANGED]),
        }
    };
    for kind in &tcp_kinds() {
        for mix in (0..3_usize.pow(5)).map(number).map(|mix| for_kind(kind, mix)) {
            for enabled in [0, 1] {
                set_five_others(kind, enabled);
                let before = kernel(kind.fd);
                assert_eq!(apply(kind.fd, mix), 0, "{} {mix:?}", kind.name);
                let unless_unchanged = |value, before| meaning(value, 0, before);
                let expected = ka_settings {
                    enabled: unless_unchanged(mix.enabled, before.enabled),
                    idle: meaning(mix.idle, system.idle, before.idle),
                    intvl: meaning(mix.intvl, system.intvl, before.intvl),
                    cnt: meaning(mix.cnt, system.cnt, before.cnt),
                    user_timeout_ms: unless_unchanged(mix.user_timeout_ms, before.user_timeout_ms),
                };
                assert_eq!(kernel(kind.fd), expected, "{} {mix:?}", kind.name);
            }
        }
    }
}

#[test]
fn unchanged_on_a_fresh_socket_keeps_following_the_sysctl() {
    with_own_network(|| {
        let socket = tcp4();
        assert_eq!(apply(socket.as_raw_fd(), ka_settings { enabled: 1, ..UNCHANGED }), 0);
        sysctl("tcp_keepalive_time", "100");
        assert_eq!(settings(socket.as_raw_fd()).idle, Ok(100));
    });
}

#[test]
fn the_user_timeout_takes_what_the_kernel_takes() {
    for Kind { name, fd, .. } in &tcp_with_user_timeout() {
        for timeout in [1, 999, 120_000, c_int::MAX, 0] {
            assert_eq!(apply(*fd, only_user_timeout(timeout)), 0, "{name} {timeout}");
            assert_eq!(user_timeout(*fd), Ok(timeout), "{name}");
        }
    }
}

/// [`MINE`] with one member, by name, that has a value just outside its range, or far outside.
fn refused() -> impl Iterator<Item = (&'static str, ka_settings)> {
    let outside: [&[c_int]; 5] = [
        &[c_int::MIN, -2, 2, c_int::MAX],
        &[c_int::MIN, -2, MAX_IDLE + 1, c_int::MAX],
        &[c_int::MIN, -2, MAX_INTVL + 1, c_int::MAX],
        &[c_int::MIN, -2, MAX_CNT + 1, c_int::MAX],
        &[c_int::MIN, -2],
    ];
    MEMBERS.into_iter().zip(outside).flat_map(|((name, member), values)| {
        values.iter().map(move |&value| {
            let mut settings = MINE;
            *member(&mut settings) = value;
            (name, settings)
        })
    })
}

#[test]
fn one_refused_value_among_good_ones_leaves_everything_as_it_was() {
    for kind in &tcp_kinds() {
        for enabled in [None, Some(0), Some(1)] {
            if let Some(enabled) = enabled {
                set_five_others(kind, enabled);
            }
            let before = five(kind.fd);
            for (_, settings) in refused() {
                assert_eq!(apply(kind.fd, settings), -EINVAL, "{} {settings:?}", kind.name);
                assert_eq!(five(kind.fd), before, "{} {settings:?}", kind.name);
            }
        }
    }
}

/// An idle time, interval or count that is too large may come from a sysctl. So the library asks
/// the socket first, and reports the bad descriptor. For all other values the error is `EINVAL`.
#[test]
fn a_value_that_no_sysctl_can_have_is_reported_before_a_bad_descriptor() {
    for (member, settings) in refused() {
        let ka_settings { idle, intvl, cnt, .. } = settings;
        let is_too_large =
            ["idle", "intvl", "cnt"].contains(&member) && idle.min(intvl).min(cnt) > 0;
        let errno = if is_too_large { libc::EBADF } else { EINVAL };
        assert_eq!(apply(-1, settings), -errno, "{settings:?}");
    }
}

#[test]
fn without_settings_it_is_efault() {
    assert_eq!(ka_apply(tcp4().as_raw_fd(), None), -libc::EFAULT);
    assert_eq!(ka_apply(-1, None), -libc::EFAULT);
}

/// Sockets that are not TCP are refused with the kernel's errno, for all settings, and not changed.
fn refused_and_untouched(kind: &Kind) {
    let Kind { name, fd, errno: setting, .. } = kind;
    let getting = settings(*fd).idle.unwrap_err(); // another one than for setting, on UDP
    let asked = [
        (MINE, setting),
        (ka_settings { user_timeout_ms: KA_UNCHANGED, ..MINE }, setting),
        (ka_settings { idle: KA_DEFAULT, ..MINE }, setting),
        (only_user_timeout(1000), setting),
        (ka_detect_within(30), setting),
        (ka_settings { enabled: 1, ..UNCHANGED }, &getting),
        (ka_settings { enabled: 0, ..UNCHANGED }, &getting),
        (UNCHANGED, &getting),
        (ka_settings { idle: MAX_IDLE + 1, ..MINE }, &getting),
    ];
    for enabled in [0, 1] {
        let _where_there_is_one = set_option(*fd, SOL_SOCKET, SO_KEEPALIVE, enabled);
        let before = five(*fd);
        for (settings, errno) in asked {
            assert_eq!(apply(*fd, settings), -errno, "{name} {settings:?}");
            assert_eq!(five(*fd), before, "{name} {settings:?}");
        }
    }
}

#[test]
fn refuses_what_is_not_a_tcp_socket_and_leaves_it_alone() {
    for kind in &other_kinds() {
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
        assert_eq!(apply(fd, MINE), -libc::EBADF);
        assert_eq!(apply(fd, UNCHANGED), -libc::EBADF);
    });
}

#[test]
fn mptcp_refuses_a_user_timeout_and_nothing_has_changed() {
    for kind in tcp_kinds().iter().filter(|kind| kind.name == "mptcp") {
        for enabled in [0, 1] {
            set_five_others(kind, enabled);
            let before = five(kind.fd);
            for timeout in [0, 1000, MINE.user_timeout_ms] {
                for settings in [MINE, UNCHANGED] {
                    let settings = ka_settings { user_timeout_ms: timeout, ..settings };
                    assert_eq!(apply(kind.fd, settings), -libc::ENOPROTOOPT, "{settings:?}");
                    assert_eq!(five(kind.fd), before, "{settings:?}");
                }
            }
        }
    }
}

#[test]
fn what_was_read_is_given_back_without_error_or_change() {
    for kind in &tcp_kinds() {
        let give_back = |what| {
            let before = five(kind.fd);
            assert_eq!(apply(kind.fd, read_back(kind.fd).unwrap()), 0, "{} {what}", kind.name);
            assert_eq!(five(kind.fd), before, "{} {what}", kind.name);
        };
        give_back("fresh");
        for enabled in [1, 0] {
            set_five_others(kind, enabled);
            give_back("set");
        }
    }
}

#[test]
fn one_member_changed_in_what_was_read_changes_that_alone() {
    let values = [1, 62, 12, 8, 9000];
    for kind in &tcp_kinds() {
        for ((name, member), value) in MEMBERS.into_iter().zip(values) {
            if name == "user_timeout_ms" && kind.name == "mptcp" {
                continue;
            }
            set_five_others(kind, 0);
            let mut expected = kernel(kind.fd);
            *member(&mut expected) = value;
            let mut settings = read_back(kind.fd).unwrap();
            *member(&mut settings) = value;
            assert_eq!(apply(kind.fd, settings), 0, "{} {name}", kind.name);
            assert_eq!(kernel(kind.fd), expected, "{} {name}", kind.name);
        }
    }
}

#[test]
fn what_was_there_before_is_put_back() {
    for kind in &tcp_kinds() {
        for enabled in [None, Some(0), Some(1)] {
            if let Some(enabled) = enabled {
                set_five_others(kind, enabled);
            }
            let before = five(kind.fd);
            let read = read_back(kind.fd).unwrap();
            for other in [MINE, ka_detect_within(6), ka_detect_within(14_400)] {
                assert_eq!(apply(kind.fd, for_kind(kind, other)), 0, "{}", kind.name);
                assert_eq!(kernel(kind.fd), for_kind(kind, other), "{}", kind.name);
                assert_eq!(apply(kind.fd, read), 0, "{}", kind.name);
                assert_eq!(five(kind.fd), before, "{}", kind.name);
            }
        }
    }
}

/// A sysctl can be a value that setsockopt(2) refuses. Sockets that have it from there keep it.
#[test]
fn a_system_default_that_no_socket_accepts_is_given_back_and_kept() {
    with_own_network(|| {
        shell("ip link set lo up");
        for [idle, intvl, cnt] in
            [["86400", "32768", "128"], ["86400", "40000", "255"], ["0", "0", "0"]]
        {
            sysctl("tcp_keepalive_time", idle);
            sysctl("tcp_keepalive_intvl", intvl);
            sysctl("tcp_keepalive_probes", cnt);
            for Kind { name, fd, .. } in &tcp_kinds() {
                let before = five(*fd);
                assert_eq!(before.0.idle, Ok(idle.parse().unwrap()), "{name}");
                let read = read_back(*fd).unwrap();
                assert_eq!(apply(*fd, read), 0, "{name} {idle}");
                assert_eq!(five(*fd), before, "{name} {idle}");

                // One member is changed. The others stay, although no socket would accept them.
                assert_eq!(apply(*fd, ka_settings { enabled: 1, cnt: 5, ..read }), 0, "{name}");
                let changed = Settings { enabled: Ok(1), cnt: Ok(5), ..before.0 };
                assert_eq!(settings(*fd), changed, "{name} {idle}");
            }
        }
    });
}

#[test]
fn a_value_kept_from_a_sysctl_goes_on_following_it() {
    with_own_network(|| {
        sysctl("tcp_keepalive_time", "86400");
        let socket = tcp4();
        let read = read_back(socket.as_raw_fd()).unwrap();
        assert_eq!(apply(socket.as_raw_fd(), ka_settings { enabled: 1, ..read }), 0);
        sysctl("tcp_keepalive_time", "100");
        assert_eq!(settings(socket.as_raw_fd()).idle, Ok(100));
    });
}

#[test]
fn an_impossible_value_that_the_socket_does_not_have_is_einval_and_nothing_changes() {
    with_own_network(|| {
        sysctl("tcp_keepalive_time", "86400");
        let socket = tcp4();
        let fd = socket.as_raw_fd();
        let before = five(fd);
        for idle in [86_399, 86_401, MAX_IDLE + 1, c_int::MAX] {
            assert_eq!(apply(fd, ka_settings { idle, ..MINE }), -EINVAL, "{idle}");
            assert_eq!(five(fd), before, "{idle}");
        }
        // Once the socket has another value, the impossible one cannot be put back.
        let read = read_back(fd).unwrap();
        assert_eq!(apply(fd, MINE), 0);
        assert_eq!(apply(fd, read), -EINVAL);
        assert_eq!(kernel(fd), MINE);
    });
}

#[test]
fn a_system_default_that_cannot_be_written_is_erange_and_nothing_changes() {
    with_own_network(|| {
        let socket = tcp4();
        let fd = socket.as_raw_fd();
        assert_eq!(apply(fd, ka_settings { enabled: 0, ..MINE }), 0);
        let before = five(fd);
        sysctl("tcp_keepalive_time", "86400");
        let asked = ka_settings { idle: KA_DEFAULT, user_timeout_ms: 1, ..MINE };
        assert_eq!(apply(fd, asked), -libc::ERANGE);
        assert_eq!(five(fd), before);
    });
}

#[test]
fn the_systems_defaults_can_be_applied_and_a_failure_to_read_them_is_refused() {
    for kind in &tcp_kinds() {
        set_five_others(kind, 1);
        let defaults = for_kind(kind, ka_defaults());
        assert_eq!(apply(kind.fd, defaults), 0, "{}", kind.name);
        assert_eq!(kernel(kind.fd), defaults, "{}", kind.name);
    }
    in_child(|| {
        let socket = tcp4();
        let before = five(socket.as_raw_fd());
        common::fill_table();
        let failed = ka_defaults();
        assert_eq!(failed.enabled, -libc::EMFILE);
        assert_eq!(apply(socket.as_raw_fd(), failed), -EINVAL);
        assert_eq!(five(socket.as_raw_fd()), before);
    });
}

#[test]
fn defaults_work_on_a_host_without_ipv4() {
    in_child(|| {
        let system = kernel(tcp4().as_raw_fd());
        let socket = socket(libc::AF_INET6, libc::SOCK_STREAM, 0).unwrap();
        refuse(libc::SYS_socket, 0, libc::AF_INET, libc::EAFNOSUPPORT);
        assert_eq!(apply(socket.as_raw_fd(), ka_settings { idle: KA_DEFAULT, ..MINE }), 0);
        assert_eq!(kernel(socket.as_raw_fd()), ka_settings { idle: system.idle, ..MINE });
    });
}

/// A security policy may refuse what the kernel would accept. The manual: what was accepted before
/// keeps its new value, and keepalive is not switched.
#[test]
fn a_call_refused_by_a_policy_is_reported_and_keepalive_is_not_switched() {
    let kept = (OTHER, Ok(OTHER_TIMEOUT));
    let timeout = Ok(MINE.user_timeout_ms);
    let (idle, intvl, cnt) = (Ok(MINE.idle), Ok(MINE.intvl), Ok(MINE.cnt));
    for (refused, (left, left_timeout)) in [
        (USER_TIMEOUT, kept),
        (INTVL, (OTHER, timeout)),
        (CNT, (Settings { intvl, ..OTHER }, timeout)),
        (IDLE, (Settings { intvl, cnt, ..OTHER }, timeout)),
        (SO_KEEPALIVE, (Settings { idle, intvl, cnt, ..OTHER }, timeout)),
    ] {
        for enabled in [0, 1] {
            for errno in [libc::EPERM, libc::EACCES] {
                in_child(|| {
                    let socket = tcp4();
                    let fd = socket.as_raw_fd();
                    set_others(fd);
                    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, enabled).unwrap();
                    set_option(fd, IPPROTO_TCP, USER_TIMEOUT, OTHER_TIMEOUT).unwrap();
                    refuse(libc::SYS_setsockopt, 2, refused, errno);
                    let asked = ka_settings { enabled: 1 - enabled, ..MINE };
                    assert_eq!(apply(fd, asked), -errno, "{refused}");
                    let left = Settings { enabled: Ok(enabled), ..left };
                    assert_eq!(five(fd), (left, left_timeout), "{refused}");
                });
            }
        }
    }
}

/// Without `KA_DEFAULT` it needs no descriptor of its own.
#[test]
fn a_full_table_of_descriptors_does_not_matter() {
    in_child(|| {
        let socket = tcp4();
        let fd = socket.as_raw_fd();
        common::fill_table();
        assert_eq!(apply(fd, MINE), 0);
        assert_eq!(apply(fd, read_back(fd).unwrap()), 0);
        assert_eq!(apply(fd, ka_settings { cnt: KA_DEFAULT, ..MINE }), -libc::EMFILE);
        assert_eq!(kernel(fd), MINE);
    });
}
