//! `ka_sockets` while other threads reuse descriptors, and where there really is no /proc.

mod common;

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::ptr::null;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{
    allow_descriptors, at_number, check, connected_at, descriptor_limit, in_child, set_option,
    tcp4, unshare_as_superuser,
};
use keepalive::{KA_STATE_ESTABLISHED, KA_STATE_LISTEN, ka_socket, ka_sockets};
use libc::{c_char, c_int};

type Entry = (c_int, String, String);

/// State, local and remote address of each, by descriptor.
fn list() -> HashMap<RawFd, Entry> {
    let mut places: Vec<ka_socket> = Vec::with_capacity(2000);
    // SAFETY: there is room for `capacity`.
    let count = unsafe { ka_sockets(places.as_mut_ptr(), places.capacity()) };
    let count = usize::try_from(count).expect("a count");
    assert!(count <= places.capacity());
    // SAFETY: so many were written.
    unsafe { places.set_len(count) };
    let entry =
        |socket: &ka_socket| (socket.fd, (socket.state, text(&socket.local), text(&socket.remote)));
    let entries: HashMap<_, _> = places.iter().map(entry).collect();
    assert_eq!(entries.len(), count, "a descriptor is listed twice");
    entries
}

fn text(field: &[c_char; 64]) -> String {
    // SAFETY: the slice is the whole field; the next line fails if there is no NUL.
    let bytes = unsafe { std::slice::from_raw_parts(field.as_ptr().cast::<u8>(), field.len()) };
    CStr::from_bytes_until_nul(bytes).expect("NUL terminated").to_str().unwrap().to_owned()
}

/// Both ends of a connection, the first at the lowest free descriptor. It leaves no `TIME_WAIT`.
fn short_lived(address: SocketAddr) -> (TcpStream, TcpStream) {
    let (client, server) = connected_at(address);
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    set_option(client.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, at_once).unwrap();
    (client, server)
}

/// Whether this describes one of the sockets that `one_number_after_the_other` opens, and is not a
/// mix of two.
fn is_of_one_socket((state, local, remote): &Entry) -> bool {
    let connected = local.starts_with("127.0.0.1:") && remote.starts_with("127.0.0.1:");
    match *state {
        // It has no peer if the other end resets it between the calls for state and peer.
        KA_STATE_ESTABLISHED => connected || (local.starts_with("127.0.0.1:") && remote.is_empty()),
        KA_STATE_LISTEN => remote.is_empty() && !local.is_empty(),
        // Not yet connected, or no longer.
        _ => remote.is_empty() || connected,
    }
}

/// Gives the lowest free descriptors to one kind of socket after the other.
fn one_number_after_the_other(done: &AtomicBool, rounds: &AtomicUsize) {
    while !done.load(Ordering::Relaxed) {
        drop(short_lived((Ipv4Addr::LOCALHOST, 0).into()));
        drop(TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap());
        drop(UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).unwrap());
        drop(File::open("/dev/null").unwrap());
        rounds.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn never_mixes_two_sockets_that_had_the_same_descriptor() {
    in_child(|| {
        let (done, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
        let mut lists = 0;
        // A busy machine needs longer for enough lists and rounds.
        let too_few = |lists| lists <= 100 || rounds.load(Ordering::Relaxed) <= 100;
        let mixed = thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| one_number_after_the_other(&done, &rounds));
            }
            let start = Instant::now();
            let mut mixed = None;
            while mixed.is_none()
                && (start.elapsed() < Duration::from_secs(2)
                    || (too_few(lists) && start.elapsed() < Duration::from_secs(20)))
            {
                mixed = list().into_values().find(|entry| !is_of_one_socket(entry));
                lists += 1;
            }
            done.store(true, Ordering::Relaxed);
            mixed
        });
        assert_eq!(mixed, None);
        let few = too_few(lists);
        let rounds = rounds.into_inner();
        assert!(!few, "{lists} lists during {rounds} rounds prove little");
    });
}

#[test]
fn what_stays_open_is_told_right_while_other_numbers_are_reused() {
    in_child(|| {
        let kept: Vec<_> = (0..50)
            .flat_map(|_| <[_; 2]>::from(connected_at((Ipv6Addr::LOCALHOST, 0).into())))
            .collect();
        let expected = |stream: &TcpStream| {
            let local = stream.local_addr().unwrap().to_string();
            (KA_STATE_ESTABLISHED, local, stream.peer_addr().unwrap().to_string())
        };
        let (done, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
        let wrong = thread::scope(|scope| {
            scope.spawn(|| one_number_after_the_other(&done, &rounds));
            let wrong = (0..200).find_map(|_| {
                let listed = list();
                kept.iter()
                    .find(|s| listed.get(&s.as_raw_fd()) != Some(&expected(s)))
                    .map(|s| (expected(s), listed.get(&s.as_raw_fd()).cloned()))
            });
            done.store(true, Ordering::Relaxed);
            wrong
        });
        assert_eq!(wrong, None);
    });
}

/// Mounts an empty file system of this type over /proc, in a mount namespace of this process alone.
fn mount_over_proc(kind: &str) {
    let kind = CString::new(kind).unwrap();
    unshare_as_superuser(libc::CLONE_NEWNS);
    // SAFETY: the pointers are to strings that end in NUL, or NULL where mount(2) allows it.
    unsafe {
        let private = libc::MS_REC | libc::MS_PRIVATE;
        check(libc::mount(null(), c"/".as_ptr(), null(), private, null())).unwrap();
        check(libc::mount(kind.as_ptr(), c"/proc".as_ptr(), kind.as_ptr(), 0, null())).unwrap();
    }
}

#[test]
fn works_where_proc_is_not_mounted() {
    in_child(|| {
        let kept: Vec<_> = (0..30).map(|_| tcp4()).collect();
        let far = at_number(tcp4(), 1000);
        mount_over_proc("tmpfs");
        assert!(!std::path::Path::new("/proc/self").exists());
        let listed = list();
        assert_eq!(listed.len(), kept.len() + 1);
        assert!(listed.contains_key(&far.as_raw_fd()));
    });
}

/// Without /proc the library tries one number after the other. If the limit of descriptors is a
/// million, it must stop earlier.
#[test]
fn where_proc_is_not_mounted_it_looks_no_further_than_65536() {
    const ENOUGH: RawFd = 65_536;
    in_child(|| {
        let million = libc::rlimit { rlim_cur: 1 << 20, rlim_max: 1 << 20 };
        // SAFETY: the pointer is to a whole `rlimit`.
        let raised = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const million) } == 0;
        let limit = descriptor_limit().rlim_max;
        allow_descriptors(limit);
        let last = at_number(tcp4(), RawFd::try_from(limit).unwrap().min(ENOUGH) - 1);
        let beyond = raised.then(|| at_number(tcp4(), ENOUGH));
        mount_over_proc("tmpfs");
        assert_eq!(list().into_keys().collect::<Vec<_>>(), [last.as_raw_fd()]);
        drop(beyond); // only the superuser may have such numbers where the hard limit is lower
    });
}
