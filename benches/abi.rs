//! What the C functions cost, compared with the bare system calls that they make and with socket2.
//!
//! The library is the one that ships, loaded as any program loads it. The contenders of a group
//! take turns, so that other work of the machine disturbs all of them equally. For each it prints
//! the smallest and the median time of a call, in nanoseconds:
//!
//! ```text
//! group <TAB> contender <TAB> smallest <TAB> median
//! ```
//!
//! `abi count CONTENDER CALLS` makes these calls only, for valgrind's callgrind to count.

use std::ffi::{CString, c_char, c_void};
use std::mem::{MaybeUninit, size_of, transmute};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};
use std::{env, ptr};

use keepalive::{ka_settings, ka_socket};
use libc::{
    IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL,
    TCP_USER_TIMEOUT, c_int,
};
use socket2::{SockRef, TcpKeepalive};

/// Calls of each contender, and how many it makes in one turn.
const CALLS: usize = 20_000;
const TURN: usize = 50;

/// The functions of the shipped library.
struct Library {
    set: extern "C" fn(c_int, c_int, c_int, c_int) -> c_int,
    apply: extern "C" fn(c_int, *const ka_settings) -> c_int,
    detect_within: extern "C" fn(c_int) -> ka_settings,
    get: extern "C" fn(c_int, *mut ka_settings) -> c_int,
    defaults: extern "C" fn() -> ka_settings,
    find: extern "C" fn(u64, u64) -> c_int,
    sockets: extern "C" fn(*mut ka_socket, usize) -> c_int,
}

impl Library {
    fn load() -> Self {
        let path = env::var("KEEPALIVE_LIBRARY").expect("make bench sets KEEPALIVE_LIBRARY");
        let path = CString::new(path).unwrap();
        // SAFETY: the library runs no code when it is loaded; each symbol has its manual's type.
        unsafe {
            let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
            assert!(!handle.is_null(), "{path:?} cannot be loaded: make build");
            let symbol = |name: *const c_char| -> *mut c_void {
                let symbol = libc::dlsym(handle, name);
                assert!(!symbol.is_null());
                symbol
            };
            Self {
                set: transmute::<*mut c_void, extern "C" fn(c_int, c_int, c_int, c_int) -> c_int>(
                    symbol(c"ka_set".as_ptr()),
                ),
                apply: transmute::<*mut c_void, extern "C" fn(c_int, *const ka_settings) -> c_int>(
                    symbol(c"ka_apply".as_ptr()),
                ),
                detect_within: transmute::<*mut c_void, extern "C" fn(c_int) -> ka_settings>(
                    symbol(c"ka_detect_within".as_ptr()),
                ),
                get: transmute::<*mut c_void, extern "C" fn(c_int, *mut ka_settings) -> c_int>(
                    symbol(c"ka_get".as_ptr()),
                ),
                defaults: transmute::<*mut c_void, extern "C" fn() -> ka_settings>(symbol(
                    c"ka_defaults".as_ptr(),
                )),
                find: transmute::<*mut c_void, extern "C" fn(u64, u64) -> c_int>(symbol(
                    c"ka_find".as_ptr(),
                )),
                sockets: transmute::<*mut c_void, extern "C" fn(*mut ka_socket, usize) -> c_int>(
                    symbol(c"ka_sockets".as_ptr()),
                ),
            }
        }
    }
}

fn set(fd: c_int, level: c_int, name: c_int, value: c_int) {
    let length = libc::socklen_t::try_from(size_of::<c_int>()).unwrap();
    // SAFETY: pointer and length are of `value`.
    let returned = unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), length) };
    assert_eq!(returned, 0);
}

fn get(fd: c_int, level: c_int, name: c_int) -> c_int {
    let mut value: c_int = 0;
    let mut length = libc::socklen_t::try_from(size_of::<c_int>()).unwrap();
    // SAFETY: pointers to a whole int, and to its length.
    let returned =
        unsafe { libc::getsockopt(fd, level, name, (&raw mut value).cast(), &raw mut length) };
    assert_eq!(returned, 0);
    value
}

fn bare_set(fd: c_int) {
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 6);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

fn bare_apply(fd: c_int) {
    set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 13_000);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 2);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, 5);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 3);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

fn apply(library: &Library, fd: c_int) {
    let settings = (library.detect_within)(30);
    assert_eq!((library.apply)(fd, &raw const settings), 0);
}

fn bare_get(fd: c_int) -> [c_int; 5] {
    [
        get(fd, SOL_SOCKET, SO_KEEPALIVE),
        get(fd, IPPROTO_TCP, TCP_KEEPIDLE),
        get(fd, IPPROTO_TCP, TCP_KEEPINTVL),
        get(fd, IPPROTO_TCP, TCP_KEEPCNT),
        get(fd, IPPROTO_TCP, TCP_USER_TIMEOUT),
    ]
}

fn stat(fd: c_int) -> (u64, u64) {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the pointer is to a whole `stat`, which fstat fills in.
    unsafe {
        assert_eq!(libc::fstat(fd, stat.as_mut_ptr()), 0);
        (stat.assume_init().st_dev, stat.assume_init().st_ino)
    }
}

fn socket() -> OwnedFd {
    // SAFETY: the descriptor is new, and nobody else's.
    unsafe {
        let fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        assert!(fd >= 0, "no socket: is `ulimit -n` large enough?");
        OwnedFd::from_raw_fd(fd)
    }
}

/// The system calls of `ka_sockets`, made without the library: the list of descriptors, and for
/// each whether it is TCP, its addresses, its state.
fn bare_sockets() -> usize {
    std::fs::read_dir("/proc/thread-self/fd")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(|&fd: &c_int| {
            let mut info = MaybeUninit::<libc::tcp_info>::uninit();
            let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).unwrap();
            // SAFETY: the pointers are to a whole `tcp_info` and its length; the descriptor is only
            // asked for its addresses.
            unsafe {
                let borrowed = std::os::fd::BorrowedFd::borrow_raw(fd);
                let socket = SockRef::from(&borrowed);
                libc::getsockopt(
                    fd,
                    IPPROTO_TCP,
                    libc::TCP_INFO,
                    info.as_mut_ptr().cast(),
                    &raw mut length,
                ) == 0
                    && socket.local_addr().is_ok() | socket.peer_addr().is_ok()
            }
        })
        .count()
}

/// Times each contender in turn.
fn compare(group: &str, contenders: &mut [(&str, &mut dyn FnMut())]) {
    compare_long(group, CALLS / TURN, TURN, contenders);
}

fn compare_long(
    group: &str,
    turns: usize,
    calls: usize,
    contenders: &mut [(&str, &mut dyn FnMut())],
) {
    let mut times = vec![Vec::with_capacity(turns); contenders.len()];
    for _ in 0..turns {
        for ((_, call), times) in contenders.iter_mut().zip(&mut times) {
            let start = Instant::now();
            for _ in 0..calls {
                call();
            }
            times.push(start.elapsed());
        }
    }
    for ((name, _), times) in contenders.iter().zip(&mut times) {
        times.sort();
        let each = |time: Duration| time.as_nanos() / u128::try_from(calls).unwrap();
        println!("{group}\t{name}\t{}\t{}", each(times[0]), each(times[times.len() / 2]));
    }
}

fn everything(library: &Library) {
    let one = socket();
    let fd = one.as_raw_fd();
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(10))
        .with_retries(6);
    compare(
        "apply",
        &mut [
            ("five setsockopt", &mut || bare_apply(fd)),
            ("ka_detect_within, ka_apply", &mut || apply(library, fd)),
        ],
    );
    compare(
        "set",
        &mut [
            ("four setsockopt", &mut || bare_set(fd)),
            ("ka_set", &mut || assert_eq!((library.set)(fd, 60, 10, 6), 0)),
            ("socket2 set_tcp_keepalive", &mut || {
                SockRef::from(&one).set_tcp_keepalive(&keepalive).unwrap();
            }),
        ],
    );
    let mut settings = ka_settings { enabled: 0, idle: 0, intvl: 0, cnt: 0, user_timeout_ms: 0 };
    compare(
        "get",
        &mut [
            ("five getsockopt", &mut || assert_eq!(bare_get(fd)[0], 1)),
            ("ka_get", &mut || assert_eq!((library.get)(fd, &raw mut settings), 0)),
        ],
    );
    compare(
        "defaults",
        &mut [
            ("socket, five getsockopt, close", &mut || {
                assert_eq!(bare_get(socket().as_raw_fd())[0], 0);
            }),
            ("ka_defaults", &mut || assert_eq!((library.defaults)().enabled, 0)),
        ],
    );
    for open in [10_usize, 1_000, 10_000] {
        let sockets: Vec<_> = (0..open).map(|_| socket()).collect();
        find(library, open, &sockets);
        list(library, open);
        find_in_a_gap(library, open, sockets);
    }
}

fn find(library: &Library, open: usize, sockets: &[OwnedFd]) {
    let known: Vec<_> = sockets.iter().map(|s| (s.as_raw_fd(), stat(s.as_raw_fd()))).collect();
    let check = |at: usize| {
        let (fd, (dev, ino)) = known[at % known.len()];
        assert_eq!((library.find)(dev, ino), fd);
    };
    // Both go in the same order, because the kernel takes longer for sockets that lie far apart.
    for (order, step) in [("one after the other", 1), ("in any order", 7919)] {
        let (mut bare, mut found) = (0, 0);
        compare(
            &format!("find {order}, {open} open"),
            &mut [
                ("fstat", &mut || {
                    bare += step;
                    stat(known[bare % known.len()].0);
                }),
                ("ka_find", &mut || {
                    found += step;
                    check(found);
                }),
            ],
        );
    }
    // Each of these sockets is new: it is opened, found and closed.
    compare(
        &format!("open and find, {open} open"),
        &mut [
            ("socket, fstat, close", &mut || {
                stat(socket().as_raw_fd());
            }),
            ("socket, fstat, ka_find, close", &mut || {
                let fresh = socket();
                let (dev, ino) = stat(fresh.as_raw_fd());
                assert_eq!((library.find)(dev, ino), fresh.as_raw_fd());
            }),
        ],
    );
}

/// The slowest case: a socket in the middle was closed, and a new one gets its number.
fn find_in_a_gap(library: &Library, open: usize, mut sockets: Vec<OwnedFd>) {
    sockets.swap_remove(open / 2);
    let elsewhere = sockets[0].as_raw_fd();
    compare_long(
        &format!("open in a gap and find, {open} open"),
        (CALLS / 4 / open).max(7),
        20,
        &mut [
            ("two fstat, socket, close", &mut || {
                stat(socket().as_raw_fd());
                stat(elsewhere);
            }),
            ("two ka_find, socket, close", &mut || {
                let fresh = socket();
                for fd in [fresh.as_raw_fd(), elsewhere] {
                    let (dev, ino) = stat(fd);
                    assert_eq!((library.find)(dev, ino), fd);
                }
            }),
        ],
    );
}

fn list(library: &Library, open: usize) {
    let mut room = Vec::<ka_socket>::with_capacity(open + 100);
    compare_long(
        &format!("list, {open} open"),
        (CALLS / 4 / open).max(7),
        1,
        &mut [
            ("/proc, three calls for each", &mut || assert!(bare_sockets() > open)),
            ("ka_sockets", &mut || {
                let count = (library.sockets)(room.as_mut_ptr(), room.capacity());
                assert!(usize::try_from(count).unwrap() > open);
            }),
        ],
    );
}

fn count(library: &Library, contender: &str, calls: usize) {
    let one = socket();
    let fd = one.as_raw_fd();
    let (dev, ino) = stat(fd);
    let mut settings = ka_settings { enabled: 0, idle: 0, intvl: 0, cnt: 0, user_timeout_ms: 0 };
    for _ in 0..calls {
        match contender {
            "five setsockopt" => bare_apply(fd),
            "ka_detect_within, ka_apply" => apply(library, fd),
            "four setsockopt" => bare_set(fd),
            "ka_set" => assert_eq!((library.set)(fd, 60, 10, 6), 0),
            "five getsockopt" => assert_eq!(bare_get(fd)[2], 75),
            "ka_get" => assert_eq!((library.get)(fd, &raw mut settings), 0),
            "fstat" => assert_eq!(stat(fd), (dev, ino)),
            "ka_find" => assert_eq!((library.find)(dev, ino), fd),
            "ka_defaults" => assert_eq!((library.defaults)().enabled, 0),
            "ka_sockets" => assert!((library.sockets)(ptr::null_mut(), 0) > 0),
            "nothing" => {}
            other => panic!("no contender is called {other}"),
        }
    }
}

fn main() {
    let library = Library::load();
    let arguments: Vec<_> = env::args().filter(|argument| argument != "--bench").collect();
    match arguments.get(1..).unwrap_or_default() {
        [] => everything(&library),
        [word, contender, calls] if word == "count" => {
            count(&library, contender, calls.parse().expect("how many calls"));
        }
        _ => panic!("usage: abi [count CONTENDER CALLS]"),
    }
}
