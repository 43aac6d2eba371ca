//! The library in a poor or hostile environment: calls refused by a seccomp filter, no descriptors,
//! no /proc, no memory, little stack. It never crashes, and what it reports is true.
//!
//! options.rs, find.rs and sockets.rs have those faults that belong to one function.

mod common;

use std::io::Write;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::ptr;
use std::time::{Duration, Instant};

use common::{
    CNT, FIRST_FREE, IDLE, INTVL, OTHER, Settings, USER_TIMEOUT, allow_descriptors, check,
    descriptor_limit, fill_table, identity, in_child, read_back, refuse, refuse_always,
    set_descriptor_limit, set_others, settings, tcp4, with_own_network,
};
use keepalive::{
    KA_DEFAULT, KA_UNCHANGED, ka_apply, ka_defaults, ka_detect_within, ka_disable, ka_find, ka_get,
    ka_liveness, ka_options, ka_set, ka_settings, ka_socket, ka_sockets, ka_status, ka_strerror,
    ka_version,
};
use libc::{EACCES, EIO, ENOENT, ENOMEM, ENOSYS, EPERM, SO_KEEPALIVE, TCP_NODELAY, c_int};

fn count() -> c_int {
    // SAFETY: NULL with no room is what the manual allows.
    unsafe { ka_sockets(ptr::null_mut(), 0) }
}

fn find(fd: c_int) -> c_int {
    let (dev, ino) = identity(fd);
    ka_find(dev, ino)
}

/// The manual: those options that were accepted keep their new value; if keepalive was on it stays
/// on, and if it was off it stays off.
#[test]
fn each_of_the_four_calls_refused_on_a_socket_that_has_keepalive_on() {
    for (refused, left) in [
        (INTVL, OTHER),
        (CNT, Settings { intvl: Ok(10), ..OTHER }),
        (IDLE, Settings { intvl: Ok(10), cnt: Ok(6), ..OTHER }),
        (SO_KEEPALIVE, Settings { intvl: Ok(10), cnt: Ok(6), idle: Ok(60), ..OTHER }),
    ] {
        for errno in [EPERM, EACCES] {
            in_child(|| {
                let socket = tcp4();
                set_others(socket.as_raw_fd());
                refuse(libc::SYS_setsockopt, 2, refused, errno);
                assert_eq!(ka_set(socket.as_raw_fd(), 60, 10, 6), -errno, "{refused}");
                assert_eq!(settings(socket.as_raw_fd()), left, "{refused}");
            });
        }
    }
}

#[test]
fn each_option_that_may_not_be_read_is_the_errno_of_what_reads_it() {
    for refused in [SO_KEEPALIVE, IDLE, INTVL, CNT, USER_TIMEOUT] {
        in_child(|| {
            let socket = tcp4();
            refuse(libc::SYS_getsockopt, 2, refused, EPERM);
            assert_eq!(read_back(socket.as_raw_fd()), Err(-EPERM));
            assert_eq!(ka_defaults().enabled, -EPERM);
            assert_eq!(ka_set(socket.as_raw_fd(), KA_DEFAULT, 1, 1), -EPERM);
            assert_eq!(ka_set(socket.as_raw_fd(), 60, 10, 6), 0, "which reads nothing");
            // The socket of ka_defaults() is closed although it could not be read.
            assert_eq!(tcp4().as_raw_fd(), FIRST_FREE + 1);
        });
    }
}

/// `TCP_NODELAY` shows that a socket is TCP, if no other option is written first.
#[test]
fn where_tcp_cannot_be_told_from_the_rest_nothing_is_switched() {
    in_child(|| {
        let socket = tcp4();
        set_others(socket.as_raw_fd());
        refuse(libc::SYS_getsockopt, 2, TCP_NODELAY, EACCES);
        assert_eq!(ka_disable(socket.as_raw_fd()), -EACCES);
        assert_eq!(ka_set(socket.as_raw_fd(), KA_UNCHANGED, KA_UNCHANGED, KA_UNCHANGED), -EACCES);
        assert_eq!(settings(socket.as_raw_fd()), OTHER);
    });
}

#[test]
fn no_memory_in_the_kernel_is_reported() {
    for errno in [ENOMEM, libc::ENOBUFS, libc::ENFILE, EPERM] {
        in_child(|| {
            let socket = tcp4();
            let before = settings(socket.as_raw_fd());
            refuse_always(libc::SYS_socket, errno);
            assert_eq!(ka_defaults(), ka_settings::failed(errno));
            assert_eq!(ka_set(socket.as_raw_fd(), 60, KA_DEFAULT, 6), -errno);
            assert_eq!(settings(socket.as_raw_fd()), before);
        });
    }
}

/// Each system call that the library makes, refused each way: the functions that do not need it
/// work, the others return an errno, and none of them crashes or waits.
#[test]
fn any_system_call_may_be_refused() {
    let calls = [
        libc::SYS_openat,
        libc::SYS_getdents64,
        libc::SYS_fstat,
        libc::SYS_newfstatat,
        libc::SYS_getsockopt,
        libc::SYS_setsockopt,
        libc::SYS_socket,
        libc::SYS_getsockname,
        libc::SYS_getpeername,
        libc::SYS_prlimit64,
        libc::SYS_close,
        libc::SYS_fcntl,
        libc::SYS_mmap,
        libc::SYS_brk,
    ];
    for call in calls {
        for errno in [EPERM, EACCES, ENOSYS, ENOMEM, EIO] {
            in_child(|| {
                let socket = tcp4();
                let fd = socket.as_raw_fd();
                let (dev, ino) = identity(fd);
                refuse_always(call, errno);
                let allowed = |returned: c_int, what| {
                    let fits = returned >= 0 || returned == -errno || returned == -ENOENT;
                    assert!(fits, "{what} with system call {call} refused: {returned}");
                };
                allowed(ka_find(dev, ino), "ka_find");
                allowed(count(), "ka_sockets");
                allowed(ka_set(fd, 60, KA_DEFAULT, 6), "ka_set");
                allowed(read_back(fd).map_or_else(|errno| errno, |_| 0), "ka_get");
                allowed(ka_status(fd, Some(&mut MaybeUninit::uninit())), "ka_status");
                allowed(ka_apply(fd, Some(&ka_detect_within(30))), "ka_apply");
                allowed(ka_disable(fd), "ka_disable");
                allowed(ka_defaults().enabled, "ka_defaults");
            });
        }
    }
}

/// The list of descriptors can be opened, but not read; or the limit of descriptors cannot be read.
#[test]
fn descriptors_are_found_though_their_list_cannot_be_read() {
    for calls in [
        &[libc::SYS_getdents64][..],
        &[libc::SYS_getdents64, libc::SYS_prlimit64, libc::SYS_getrlimit],
        &[libc::SYS_openat, libc::SYS_prlimit64, libc::SYS_getrlimit],
    ] {
        in_child(|| {
            let sockets: Vec<_> = (0..100).map(|_| tcp4()).collect();
            for call in calls {
                refuse_always(*call, EPERM);
            }
            for socket in sockets.iter().rev().step_by(30) {
                assert_eq!(find(socket.as_raw_fd()), socket.as_raw_fd());
            }
            assert_eq!(count(), 100);
        });
    }
}

#[test]
fn a_limit_of_ten_descriptors_is_enough() {
    in_child(|| {
        set_descriptor_limit(libc::rlimit { rlim_cur: 10, rlim_max: 10 });
        let kept: Vec<OwnedFd> = (FIRST_FREE..9).map(|_| tcp4()).collect();
        let last = kept.last().unwrap().as_raw_fd();
        assert_eq!(ka_set(last, KA_DEFAULT, 10, 6), 0, "with one free");
        assert_eq!((find(last), count()), (last, 5));
        fill_table();
        assert_eq!((find(last), count()), (last, 5));
    });
}

#[test]
fn a_limit_of_a_million_descriptors_costs_nothing() {
    in_child(|| {
        let most = descriptor_limit().rlim_max.max(1_000_000);
        let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: the pointer is to a whole `rlimit`.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } == -1 {
            let hard = descriptor_limit().rlim_max;
            let line = format!("LOWERED: only the superuser may go beyond {hard} descriptors\n");
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            allow_descriptors(hard);
        }
        let socket = tcp4();
        let started = Instant::now();
        for _ in 0..100 {
            assert_eq!(count(), 1);
            assert_eq!(ka_find(1, 1), -ENOENT);
        }
        assert_eq!(find(socket.as_raw_fd()), socket.as_raw_fd());
        // A walk to the limit would take a quarter of a second, each time.
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    });
}

#[test]
fn in_a_chroot_without_proc_everything_works() {
    with_own_network(|| {
        let empty = std::env::temp_dir().join(format!("keepalive-chroot-{}", std::process::id()));
        std::fs::create_dir(&empty).unwrap();
        std::os::unix::fs::chroot(&empty).unwrap();
        std::env::set_current_dir("/").unwrap();
        assert!(!Path::new("/proc").exists());
        let sockets: Vec<_> = (0..20).map(|_| tcp4()).collect();
        for socket in sockets.iter().rev() {
            let fd = socket.as_raw_fd();
            assert_eq!(find(fd), fd);
            assert_eq!(ka_set(fd, 60, KA_DEFAULT, 6), 0);
            assert_eq!(read_back(fd).unwrap().idle, 60);
        }
        assert_eq!(count(), 20);
        // The child cannot leave its root, so the parent removes the folder.
    });
    for folder in std::fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        if folder.file_name().to_string_lossy().starts_with("keepalive-chroot-") {
            let _of_another_run = std::fs::remove_dir(folder.path());
        }
    }
}

/// The library allocates nothing: it works when no memory is left.
#[test]
fn without_any_memory_everything_works() {
    in_child(|| {
        let sockets: Vec<_> = (0..20).map(|_| tcp4()).collect();
        let fd = sockets[10].as_raw_fd();
        let (dev, ino) = identity(fd);
        let mut liveness = MaybeUninit::<ka_liveness>::uninit();
        let mut settings = MaybeUninit::<ka_settings>::uninit();
        let mut open = [const { MaybeUninit::<ka_socket>::uninit() }; 30];
        touch_the_stack();
        take_all_memory();
        let returned = [
            ka_find(1, 1),
            ka_find(dev, ino) - fd,
            ka_set(fd, 60, KA_DEFAULT, 6),
            ka_set(fd, 0, 0, 128),
            ka_set(-1, 60, 10, 6),
            ka_get(fd, Some(&mut settings)),
            ka_status(fd, Some(&mut liveness)),
            ka_disable(fd),
            ka_detect_within(30).enabled,
            ka_apply(fd, Some(&ka_detect_within(30))),
            ka_defaults().enabled,
            // SAFETY: there is room for 30.
            unsafe { ka_sockets(open.as_mut_ptr().cast(), 30) },
            ka_options().ipproto_tcp,
            c_int::from(ka_strerror(-1).is_null()) + c_int::from(ka_version().is_null()),
        ];
        // SAFETY: the pointer is not used.
        let none_left = unsafe { libc::malloc(64) }.is_null();
        let expected = [
            -ENOENT,
            0,
            0,
            -libc::EINVAL,
            -libc::EBADF,
            0,
            0,
            0,
            1,
            0,
            0,
            20,
            libc::IPPROTO_TCP,
            0,
        ];
        // A panic would need memory. So the child's exit status, from 10 on, says which is wrong.
        let wrong = (0..).zip(returned).zip(expected).find(|((_, is), should)| is != should);
        if let Some(((place, _), _)) = wrong {
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(10 + place) }
        }
        // SAFETY: likewise.
        unsafe { libc::_exit(if none_left { 0 } else { 9 }) }
    });
}

/// The stack grows when it is first used, which also takes memory.
fn touch_the_stack() {
    #[allow(clippy::large_stack_arrays)] // its purpose
    let page = [1_u8; 256 * 1024];
    std::hint::black_box(&page);
}

/// Limits the address space to its present size, and allocates what the heap still has.
fn take_all_memory() {
    // SAFETY: the pointers are not used; the limit is a whole `rlimit`.
    unsafe {
        let none = libc::rlimit { rlim_cur: 1, rlim_max: 1 };
        check(libc::setrlimit(libc::RLIMIT_AS, &raw const none)).unwrap();
        // The allocator keeps freed memory in lists by size, so each size is asked for.
        for size in [1 << 20, 1 << 16, 1 << 12].into_iter().chain((0..=2048).rev().step_by(8)) {
            while !libc::malloc(size).is_null() {}
        }
    }
}

#[test]
fn a_stack_of_64_kilobytes_is_enough() {
    let socket = tcp4();
    let (dev, ino) = identity(socket.as_raw_fd());
    let fd = socket.as_raw_fd();
    let small = std::thread::Builder::new().stack_size(64 * 1024);
    let thread = small.spawn(move || {
        assert_eq!(ka_find(1, 1), -ENOENT);
        assert_eq!(ka_find(dev, ino), fd);
        assert!(count() > 0);
        assert_eq!(ka_set(fd, KA_DEFAULT, 10, 6), 0);
    });
    thread.unwrap().join().unwrap();
}
