//! What other projects test about keepalive, replayed against this library: their cases, not their
//! code. Where this library differs on purpose, the difference is what is asserted.
//!
//! The result is docs/replay.md: `KEEPALIVE_WRITE_REPLAY=1 cargo test --test replay` writes it.

#[path = "../common/mod.rs"]
mod common;
mod gvisor;
mod libraries;
mod linux;
mod sources;

use std::fmt::Write as _;
use std::io::{ErrorKind, Read};
use std::mem::MaybeUninit;
use std::net::{Ipv6Addr, TcpStream};
use std::os::fd::AsRawFd;
use std::thread;
use std::time::{Duration, Instant};

use common::{Settings, connected, connected_at, get_option, settings, tcp_info, tcp4};
use keepalive::{ka_liveness, ka_set, ka_status};
use libc::{SO_ERROR, SOL_SOCKET, c_int};

use sources::SOURCES;

/// One case of another project.
struct Case {
    project: &'static str,
    name: String,
    /// Why the library differs; `None` if it does the same.
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

/// What the kernel gives a new TCP socket.
fn fresh() -> Settings {
    settings(tcp4().as_raw_fd())
}

/// A new connection over each version of IP.
fn pairs() -> [(TcpStream, TcpStream); 2] {
    [connected(), connected_at((Ipv6Addr::LOCALHOST, 0).into())]
}

/// Sets three values on both ends of new connections, and compares them with what is expected.
fn on_pairs(values: [c_int; 3], returned: c_int, expected: Settings) {
    for (client, server) in pairs() {
        for end in [client.as_raw_fd(), server.as_raw_fd()] {
            assert_eq!(ka_set(end, values[0], values[1], values[2]), returned);
            assert_eq!(settings(end), expected);
        }
    }
}

/// The number of probes that are unanswered so far; `None` if the library returns an error.
fn probes(fd: c_int) -> Option<c_int> {
    let mut liveness = MaybeUninit::<ka_liveness>::uninit();
    // SAFETY: 0 says that it was written.
    (ka_status(fd, Some(&mut liveness)) == 0).then(|| unsafe { liveness.assume_init() }.probes)
}

/// Reads until the connection is given up: which counts of probes were seen, and after how long.
fn probes_until_dead(client: &mut TcpStream) -> (Vec<c_int>, f64) {
    let started = Instant::now();
    let mut seen = Vec::new();
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    loop {
        let probes = probes(client.as_raw_fd());
        if let Some(probes) = probes.filter(|probes| !seen.contains(probes)) {
            seen.push(probes);
        }
        match client.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => {
                assert_eq!(other.expect_err("an error").kind(), ErrorKind::TimedOut);
                return (seen, started.elapsed().as_secs_f64());
            }
        }
    }
}

/// Waits until `wanted` probes were sent on this connection and answered. Returns how many seconds
/// that took.
fn seconds_of_answered_probes(fd: c_int, wanted: u32) -> f64 {
    let before = tcp_info(fd);
    let started = Instant::now();
    loop {
        let now = tcp_info(fd);
        let seconds = started.elapsed().as_secs_f64();
        let sent = now.tcpi_segs_out - before.tcpi_segs_out;
        if sent.min(now.tcpi_segs_in - before.tcpi_segs_in) >= wanted {
            // When the last answer came, not when this thread was woken.
            return seconds - f64::from(now.tcpi_last_ack_recv) / 1000.0;
        }
        assert!(seconds < 30.0, "{sent} probes in {seconds} s");
        thread::sleep(Duration::from_millis(20));
    }
}

/// How long it takes until the socket has an error, and which.
fn until_error(socket: c_int) -> (f64, c_int) {
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

#[test]
fn the_cases_of_others_come_out_as_docs_replay_md_says() {
    let groups = [gvisor::cases(), libraries::cases(), linux::cases()];
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
    let mut counts = SOURCES.map(|_| 0);
    let (mut same, mut different, mut failed) = (0, 0, Vec::new());
    for (project, name, difference, thread) in running {
        let source = SOURCES.iter().position(|source| source.project == project);
        counts[source.expect(project)] += 1;
        if thread.join().is_err() {
            failed.push(format!("{project}: {name}"));
            continue;
        }
        *if difference.is_some() { &mut different } else { &mut same } += 1;
        let outcome = difference.map_or("passes".into(), |why| format!("**differs**: {why}"));
        writeln!(rows, "| {project} | {name} | {outcome} |").unwrap();
    }
    assert!(failed.is_empty(), "failed: {failed:#?}");

    let mut sources = String::new();
    for (source, count) in SOURCES.iter().zip(counts) {
        assert!(count > 0, "no case of {}", source.project);
        let [project, version, files] = [source.project, source.version, source.files];
        writeln!(sources, "| {project} | {version} | {files} | {count} |").unwrap();
    }
    let page = include_str!("page.md.in")
        .replace("@SAME@", &same.to_string())
        .replace("@DIFFERENT@", &different.to_string())
        .replace("@SOURCES@\n", &sources)
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
