//! `ka_find` finds the right descriptor, whatever else is open, and also if /proc cannot be read.
//!
//! tests/c/system-calls.bats counts the system calls that it takes.

mod common;

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{
    FIRST_FREE, Kind, allow_descriptors, at_number, check, connected, descriptor_limit, fill_table,
    identity, in_child, other_kinds, refuse, set_descriptor_limit, tcp_kinds, tcp4,
};
use keepalive::ka_find;
use libc::{EBADF, c_int};

fn find(wanted: (u64, u64)) -> c_int {
    ka_find(wanted.0, wanted.1)
}

/// Looks for each of these in this order and backwards.
fn each_is_found(sockets: &[OwnedFd]) {
    let numbers = sockets.iter().map(AsRawFd::as_raw_fd);
    for fd in numbers.clone().chain(numbers.rev()) {
        assert_eq!(find(identity(fd)), fd);
    }
}

#[test]
fn finds_every_kind_of_descriptor() {
    in_child(|| {
        let (tcp, others) = (tcp_kinds(), other_kinds());
        for Kind { name, fd, .. } in tcp.iter().chain(&others).filter(|kind| kind.errno != EBADF) {
            let found = find(identity(*fd));
            assert!(found >= 0, "{name}: {found}");
            assert_eq!(identity(found), identity(*fd), "{name}");
        }
    });
}

#[test]
fn an_unknown_inode_or_device_is_enoent() {
    let socket = tcp4();
    let (dev, ino) = identity(socket.as_raw_fd());
    for (dev, ino) in [(dev, u64::MAX), (dev, 0), (dev + 1, ino), (u64::MAX, ino), (0, 0)] {
        assert_eq!(ka_find(dev, ino), -libc::ENOENT, "{dev} {ino}");
    }
}

#[test]
fn a_closed_socket_is_enoent_also_when_its_number_is_anothers() {
    in_child(|| {
        let closed = {
            let socket = tcp4();
            assert_eq!(find(identity(socket.as_raw_fd())), socket.as_raw_fd());
            (socket.as_raw_fd(), identity(socket.as_raw_fd()))
        };
        assert_eq!(find(closed.1), -libc::ENOENT);
        let next = tcp4();
        assert_eq!(next.as_raw_fd(), closed.0, "the number is reused");
        assert_eq!(find(closed.1), -libc::ENOENT);
        assert_eq!(find(identity(next.as_raw_fd())), next.as_raw_fd());
    });
}

#[test]
fn a_socket_with_several_descriptors_is_found_by_any_of_them() {
    in_child(|| {
        let (client, _server) = connected();
        let duplicate = client.try_clone().unwrap();
        let wanted = identity(client.as_raw_fd());
        let found = find(wanted);
        assert!([client.as_raw_fd(), duplicate.as_raw_fd()].contains(&found));
        drop(client);
        assert_eq!(find(wanted), duplicate.as_raw_fd());
    });
}

#[test]
fn a_socket_that_moved_to_another_number_is_found_there() {
    in_child(|| {
        let socket = tcp4();
        let wanted = identity(socket.as_raw_fd());
        assert_eq!(find(wanted), socket.as_raw_fd());
        let moved = at_number(socket, 500);
        let _at_the_old_number = tcp4();
        assert_eq!(find(wanted), moved.as_raw_fd());
    });
}

#[test]
fn a_forked_process_finds_what_it_inherited() {
    in_child(|| {
        let inherited = at_number(tcp4(), 0);
        let wanted = identity(0);
        assert_eq!(find(wanted), 0);
        in_child(|| {
            assert_eq!(find(wanted), 0);
            let own = tcp4();
            assert_eq!(find(identity(own.as_raw_fd())), own.as_raw_fd());
        });
        drop(inherited);
        assert_eq!(find(wanted), -libc::ENOENT);
    });
}

#[test]
fn each_of_ten_thousand_is_found_and_so_is_one_that_fills_a_gap() {
    allow_descriptors(10_100);
    in_child(|| {
        let mut sockets: Vec<OwnedFd> = (0..10_000).map(|_| tcp4()).collect();
        let some: Vec<_> = sockets.iter().step_by(499).map(AsRawFd::as_raw_fd).collect();
        for fd in some {
            assert_eq!(find(identity(fd)), fd);
        }
        each_is_found(&sockets[2000..2500]);
        each_is_found(&sockets[9500..]);

        let gap = sockets.swap_remove(5000).as_raw_fd();
        let newest = tcp4();
        assert_eq!(newest.as_raw_fd(), gap);
        assert_eq!(find(identity(gap)), gap);
    });
}

/// Descriptors that no guess finds: below the first gap, above it, and the first number.
#[test]
fn finds_what_lies_beside_a_gap_and_at_zero() {
    in_child(|| {
        let mut sockets: Vec<OwnedFd> = (0..60).map(|_| tcp4()).collect();
        let gap = sockets.remove(20).as_raw_fd();
        let _first = at_number(tcp4(), 0);
        let far = identity(sockets[58].as_raw_fd());
        for fd in [0, 1, -1, 2, -2].map(|step| if step == 0 { 0 } else { gap + step }) {
            find(far); // the next guesses are around this one
            assert_eq!(find(identity(fd)), fd, "the gap is at {gap}");
        }
    });
}

#[test]
fn needs_no_free_descriptor() {
    in_child(|| {
        let limit = libc::rlimit { rlim_cur: 200, ..descriptor_limit() };
        set_descriptor_limit(limit);
        let sockets: Vec<_> = (0..100).map(|_| tcp4()).collect();
        fill_table();
        each_is_found(&sockets);
        let closed = identity(sockets[50].as_raw_fd());
        drop(sockets);
        fill_table();
        assert_eq!(find(closed), -libc::ENOENT);
    });
}

/// Sandboxes lower `RLIMIT_NOFILE` so that nothing more can be opened; what is open stays open.
#[test]
fn finds_descriptors_above_a_limit_lowered_afterwards() {
    in_child(|| {
        let sockets: Vec<_> = (0..100).map(|_| tcp4()).collect();
        for soft in [10, 0] {
            set_descriptor_limit(libc::rlimit { rlim_cur: soft, ..descriptor_limit() });
            let stepped: Vec<_> = sockets.iter().map(AsRawFd::as_raw_fd).step_by(30).collect();
            for fd in stepped {
                assert_eq!(find(identity(fd)), fd, "limit {soft}");
            }
        }
    });
}

#[test]
fn works_where_proc_cannot_be_read() {
    let forbidden = |call, argument, value, errno| {
        in_child(|| {
            let sockets: Vec<_> = (0..100).map(|_| tcp4()).collect();
            let far = at_number(tcp4(), 900);
            let closed = {
                let socket = tcp4();
                identity(socket.as_raw_fd())
            };
            refuse(call, argument, value, errno);
            each_is_found(&sockets);
            assert_eq!(find(identity(900)), far.as_raw_fd());
            assert_eq!(find(closed), -libc::ENOENT);
        });
    };
    forbidden(libc::SYS_openat, 0, libc::AT_FDCWD, libc::EACCES);
    forbidden(libc::SYS_openat, 0, libc::AT_FDCWD, libc::ENOENT);
    // The 100 sockets before it take the first free numbers, /proc's list the next one.
    forbidden(libc::SYS_getdents64, 0, FIRST_FREE + 100, libc::EPERM);
}

#[test]
fn a_thread_with_descriptors_of_its_own_finds_those() {
    in_child(|| {
        let shared = tcp4();
        let own = thread::spawn(|| {
            // SAFETY: takes no pointers.
            check(unsafe { libc::unshare(libc::CLONE_FILES) }).unwrap();
            let own: Vec<_> = (0..20).map(|_| tcp4()).collect();
            each_is_found(&own);
            identity(own[10].as_raw_fd())
        });
        let own = own.join().unwrap();
        assert_eq!(find(own), -libc::ENOENT);
        assert_eq!(find(identity(shared.as_raw_fd())), shared.as_raw_fd());
    });
}

#[test]
fn finds_what_stays_open_while_other_threads_open_and_close() {
    in_child(|| {
        let sockets: Vec<_> = (0..200).map(|_| tcp4()).collect();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        drop((0..20).map(|_| tcp4()).collect::<Vec<_>>());
                    }
                });
            }
            let searches: Vec<_> = (0..2)
                .map(|_| scope.spawn(|| (0..20).for_each(|_| each_is_found(&sockets))))
                .collect();
            let outcomes: Vec<_> =
                searches.into_iter().map(thread::ScopedJoinHandle::join).collect();
            done.store(true, Ordering::Relaxed);
            assert!(outcomes.iter().all(Result::is_ok), "a search failed");
        });
    });
}
