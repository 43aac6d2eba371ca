//! Threads that set, find and list, while others open, close and reuse the same numbers, signals
//! arrive and processes are started: nothing changes but what was asked for.

mod common;

use std::fs::File;
use std::io::Write;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::thread::JoinHandleExt;
use std::process::Command;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::{
    CNT, IDLE, INTVL, Settings, check, identity, set_option, settings, tcp4, user_timeout,
};
use keepalive::{
    ka_apply, ka_disable, ka_find, ka_get, ka_set, ka_settings, ka_socket, ka_sockets, ka_status,
};
use libc::{EBADF, ENOENT, ENOPROTOOPT, ENOTSOCK, EOPNOTSUPP, IPPROTO_TCP, c_int};
use std::mem::MaybeUninit;

const DURATION: Duration = Duration::from_secs(3);

/// Marsaglia's xorshift: the same numbers in every run, different ones in every thread.
struct Random(u64);

impl Random {
    fn below(&mut self, end: c_int) -> c_int {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        c_int::try_from((self.0 >> 33) % u64::try_from(end).unwrap()).unwrap()
    }
}

/// Opens and closes descriptors of all kinds. Its TCP sockets are bystanders: it gives them values
/// of their own, without the library, and checks that they keep these values.
fn churn(random: &mut Random) {
    let mut open: Vec<(OwnedFd, Option<Settings>)> = Vec::new();
    for _ in 0..64 {
        match random.below(6) {
            0 => open.push((UdpSocket::bind("127.0.0.1:0").unwrap().into(), None)),
            1 => open.push((UnixStream::pair().unwrap().0.into(), None)),
            2 => open.push((File::open("/dev/null").unwrap().into(), None)),
            3 | 4 => {
                let bystander = tcp4();
                for option in [IDLE, INTVL, CNT] {
                    let value = 1 + random.below(127);
                    set_option(bystander.as_raw_fd(), IPPROTO_TCP, option, value).unwrap();
                }
                let as_left = settings(bystander.as_raw_fd());
                open.push((bystander, Some(as_left)));
            }
            _ => {
                if !open.is_empty() {
                    let which = random.below(c_int::try_from(open.len()).unwrap());
                    open.swap_remove(usize::try_from(which).unwrap());
                }
            }
        }
        for (fd, as_left) in &open {
            if let Some(as_left) = as_left {
                assert_eq!(&settings(fd.as_raw_fd()), as_left, "a bystander was changed");
            }
        }
    }
}

/// Sets its own sockets, which it finds by their device and inode.
fn set_found(random: &mut Random) {
    let socket = tcp4();
    let (dev, ino) = identity(socket.as_raw_fd());
    for _ in 0..16 {
        let found = ka_find(dev, ino);
        assert_eq!(found, socket.as_raw_fd());
        let [idle, intvl, cnt] = [32_767, 32_767, 127].map(|max| 1 + random.below(max));
        let all = ka_settings { enabled: 1, idle, intvl, cnt, user_timeout_ms: idle };
        assert_eq!(ka_apply(found, Some(&all)), 0);
        let expected = Settings { enabled: Ok(1), idle: Ok(idle), intvl: Ok(intvl), cnt: Ok(cnt) };
        assert_eq!(settings(socket.as_raw_fd()), expected);
        assert_eq!(user_timeout(socket.as_raw_fd()), Ok(idle));
        assert_eq!(ka_disable(found), 0);
        assert_eq!(settings(socket.as_raw_fd()), Settings { enabled: Ok(0), ..expected });
    }
}

/// Asks about random numbers. Each may be any kind of descriptor, or none, and another one a moment
/// later.
fn ask_about_any_number(random: &mut Random) {
    for _ in 0..64 {
        let fd = random.below(256) - 8;
        for returned in [
            ka_get(fd, Some(&mut MaybeUninit::uninit())),
            ka_status(fd, Some(&mut MaybeUninit::uninit())),
        ] {
            let fits = [0, -EBADF, -ENOTSOCK, -ENOPROTOOPT, -EOPNOTSUPP].contains(&returned);
            assert!(fits, "descriptor {fd}: {returned}");
        }
        assert_eq!(ka_find(u64::MAX, u64::try_from(random.below(100_000)).unwrap()), -ENOENT);
    }
}

fn list(random: &mut Random) {
    let capacity = usize::try_from(random.below(40)).unwrap();
    let mut room = vec![MaybeUninit::<ka_socket>::uninit(); capacity];
    // SAFETY: `room` is writable, and as long as said.
    let count = unsafe { ka_sockets(room.as_mut_ptr().cast(), capacity) };
    for socket in &room[..capacity.min(usize::try_from(count).unwrap())] {
        // SAFETY: so many were written.
        assert!(unsafe { socket.assume_init() }.fd >= 0);
    }
}

/// A forked process that does not call exec can use the library at once, whatever the other threads
/// were doing at the moment of the fork.
fn fork_and_go_on(random: &mut Random) {
    let socket = tcp4();
    let (dev, ino) = identity(socket.as_raw_fd());
    let idle = 1 + random.below(32_767);
    // SAFETY: the child makes system calls only.
    let child = check(unsafe { libc::fork() }).unwrap();
    if child == 0 {
        let worked = ka_find(dev, ino) == socket.as_raw_fd()
            && ka_set(socket.as_raw_fd(), idle, 1, 1) == 0
            // SAFETY: NULL with no room is what the manual allows.
            && unsafe { ka_sockets(ptr::null_mut(), 0) } > 0;
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(c_int::from(!worked)) }
    }
    let mut status = -1;
    // A signal may interrupt it.
    // SAFETY: the pointer is to a writable int.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } == -1 {}
    assert_eq!(status, 0, "the forked process failed");
    assert_eq!(settings(socket.as_raw_fd()).idle, Ok(idle), "they share the socket");
}

/// A program that is started gets none of the descriptors that the library opens meanwhile.
fn start_a_program(_: &mut Random) {
    assert_eq!(&descriptors_of_a_program(), INHERITED.get().unwrap());
}

/// The descriptors that a program gets from this process, and its own of /proc/self/fd.
fn descriptors_of_a_program() -> Vec<u8> {
    Command::new("ls").args(["/proc/self/fd"]).output().unwrap().stdout
}

/// What a program gets before any thread is started.
static INHERITED: OnceLock<Vec<u8>> = OnceLock::new();

#[test]
fn nothing_changes_but_what_was_asked_for() {
    extern "C" fn counting(_: c_int) {
        SIGNALS.fetch_add(1, Ordering::Relaxed);
    }
    static SIGNALS: AtomicU64 = AtomicU64::new(0);
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    // A busy machine needs longer for enough rounds and signals.
    let too_few = || [&ROUNDS, &SIGNALS].iter().any(|n| n.load(Ordering::Relaxed) <= 100);

    INHERITED.set(descriptors_of_a_program()).unwrap();
    // SAFETY: zeroes are a valid sigaction: no flags, so that system calls are interrupted.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = counting as *const () as usize;
    // SAFETY: the handler only adds to an atomic number.
    check(unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, ptr::null_mut()) }).unwrap();

    let jobs: [fn(&mut Random); 14] = [
        churn,
        churn,
        churn,
        churn,
        set_found,
        set_found,
        set_found,
        set_found,
        ask_about_any_number,
        ask_about_any_number,
        list,
        list,
        fork_and_go_on,
        start_a_program,
    ];
    let threads = jobs.len();
    let workers: Vec<_> = (1_u64..)
        .zip(jobs)
        .map(|(seed, job)| {
            thread::spawn(move || {
                let mut random = Random(seed << 32 | 0x7F4A_7C15);
                let start = Instant::now();
                while start.elapsed() < DURATION || (too_few() && start.elapsed() < 10 * DURATION) {
                    job(&mut random);
                    ROUNDS.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    // Interrupts one after the other until the first has ended. The others end soon after it.
    for worker in workers.iter().cycle() {
        if worker.is_finished() {
            break;
        }
        // SAFETY: it is not joined yet, so the number still is this thread's.
        unsafe { libc::pthread_kill(worker.as_pthread_t(), libc::SIGUSR1) };
        thread::sleep(Duration::from_micros(100));
    }
    for worker in workers {
        worker.join().unwrap();
    }
    let (rounds, signals) = (ROUNDS.load(Ordering::Relaxed), SIGNALS.load(Ordering::Relaxed));
    assert!(!too_few(), "{rounds} rounds, {signals} signals: too few to tell");
    let line = format!("{threads} threads, {rounds} rounds, {signals} signals\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
