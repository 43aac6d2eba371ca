//! `ka_detect_within`: for every number of seconds, what its manual says and the kernel accepts.
//!
//! `tests/deadpeer` measures whether a program really is told in time.

mod common;

use std::fs;
use std::ops::RangeInclusive;
use std::os::fd::AsRawFd;

use common::{kernel, tcp_kinds, tcp4};
use keepalive::{ka_apply, ka_detect_within, ka_settings};
use libc::c_int;

const SECONDS: RangeInclusive<c_int> = 6..=14_400;

/// All but six and seven, which have room for one probe only.
const EIGHT_AND_MORE: RangeInclusive<c_int> = 8..=14_400;

#[test]
fn every_result_is_accepted_by_the_kernel_as_it_is() {
    let socket = tcp4();
    for seconds in SECONDS {
        let settings = ka_detect_within(seconds);
        assert_eq!(ka_apply(socket.as_raw_fd(), Some(&settings)), 0, "{seconds}");
        assert_eq!(kernel(socket.as_raw_fd()), settings, "{seconds}");
    }
}

#[test]
fn it_is_for_every_kind_of_tcp_socket_that_has_a_user_timeout() {
    for kind in tcp_kinds().iter().filter(|kind| kind.name != "mptcp") {
        assert_eq!(ka_apply(kind.fd, Some(&ka_detect_within(30))), 0, "{}", kind.name);
        assert_eq!(kernel(kind.fd), ka_detect_within(30), "{}", kind.name);
    }
}

#[test]
fn there_is_a_probe_and_silence_is_shorter_than_two_minutes() {
    for seconds in SECONDS {
        let ka_settings { enabled, idle, intvl, cnt, .. } = ka_detect_within(seconds);
        assert_eq!(enabled, 1, "{seconds}");
        assert!(intvl >= 1 && cnt >= 1, "{seconds}");
        // Otherwise a live peer would be probed every `intvl` seconds, not every `idle`.
        assert!((intvl..=2 * intvl).contains(&idle), "{seconds}: {idle} and {intvl}");
        // The most forgetful NAT known forgets after four minutes.
        assert!(idle < 120, "{seconds}: {idle}");
    }
}

#[test]
fn silence_and_probes_take_as_long_as_the_user_timeout() {
    for seconds in EIGHT_AND_MORE {
        let ka_settings { idle, intvl, cnt, user_timeout_ms, .. } = ka_detect_within(seconds);
        assert_eq!(user_timeout_ms, (idle + intvl * cnt) * 1000, "{seconds}");
    }
}

/// The kernel's rules: a timer fires up to an eighth of its length late. The last timer of a user
/// timeout has at most half of its length, so the user timeout ends up to a sixteenth late. It
/// starts to count when the data is sent again, 1.2 s after the write.
fn latest_ms(silence_and_probes: c_int, user_timeout: c_int) -> f64 {
    f64::from(silence_and_probes) * 9.0 / 8.0 + f64::from(user_timeout) * 17.0 / 16.0 + 1200.0
}

#[test]
fn both_times_fit_into_the_seconds_one_after_the_other() {
    for seconds in SECONDS {
        let ka_settings { idle, intvl, cnt, user_timeout_ms, .. } = ka_detect_within(seconds);
        let latest = latest_ms((idle + intvl * cnt) * 1000, user_timeout_ms);
        assert!(latest <= f64::from(seconds * 1000), "{seconds}");
    }
}

#[test]
fn and_none_of_the_time_is_given_away() {
    for seconds in EIGHT_AND_MORE {
        let half = ka_detect_within(seconds).user_timeout_ms + 1000;
        assert!(latest_ms(half, half) > f64::from(seconds * 1000), "{seconds}");
    }
}

/// One lost probe is not the end.
#[test]
fn there_are_two_probes_from_eight_seconds_on() {
    for seconds in EIGHT_AND_MORE {
        assert!(ka_detect_within(seconds).cnt >= 2, "{seconds}");
    }
}

/// One probe after two seconds, and a shorter user timeout.
#[test]
fn six_and_seven_seconds_are_a_case_of_their_own() {
    for seconds in [6, 7] {
        let settings = ka_settings { enabled: 1, idle: 2, intvl: 1, cnt: 1, user_timeout_ms: 1300 };
        assert_eq!(ka_detect_within(seconds), settings);
    }
}

#[test]
fn out_of_range_it_says_so() {
    for seconds in [c_int::MIN, -1, 0, 1, 5, 14_401, c_int::MAX] {
        let failed = ka_settings {
            enabled: -libc::EINVAL,
            idle: -1,
            intvl: -1,
            cnt: -1,
            user_timeout_ms: -1,
        };
        assert_eq!(ka_detect_within(seconds), failed, "{seconds}");
        // A caller who forgets to check gets the error from the next call.
        assert_eq!(ka_apply(-1, Some(&failed)), -libc::EINVAL, "{seconds}");
    }
}

#[test]
fn the_manual_has_these_numbers() {
    let page = fs::read_to_string("docs/man/libkeepalive.7").unwrap();
    let rows: Vec<Vec<c_int>> = page
        .lines()
        .filter_map(|line| line.strip_prefix(".It "))
        .map(|row| row.split(" Ta ").filter_map(|cell| cell.parse().ok()).collect())
        .filter(|row: &Vec<_>| row.len() == 5)
        .collect();
    assert!(rows.len() >= 7, "the table in libkeepalive.7 is no longer read");
    for row in rows {
        let ka_settings { idle, intvl, cnt, user_timeout_ms, .. } = ka_detect_within(row[0]);
        assert_eq!(row[1..], [idle, intvl, cnt, user_timeout_ms], "within {}", row[0]);
    }
}
