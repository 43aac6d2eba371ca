//! `ka_sockets`: every TCP socket of the process, and nothing else.

mod common;

use std::ffi::CStr;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use common::{
    allow_descriptors, at_number, check, connected, connected_at, connecting, fill_table, in_child,
    other_kinds, raw, refuse, reset, set_option, socket, tcp4, wait_until, with_own_network,
};
use keepalive::{
    KA_STATE_CLOSE, KA_STATE_CLOSE_WAIT, KA_STATE_ESTABLISHED, KA_STATE_FIN_WAIT2, KA_STATE_LISTEN,
    KA_STATE_SYN_SENT, ka_socket, ka_sockets, ka_status,
};
use libc::{c_char, c_int};

const EMPTY: ka_socket = ka_socket { fd: -9, state: -9, local: [7; 64], remote: [7; 64] };

/// Gives the library this much room, and checks that nothing was written behind it.
fn list(capacity: usize) -> (usize, Vec<ka_socket>) {
    let mut places = vec![EMPTY; capacity + 3];
    // SAFETY: there is room for more than `capacity`.
    let count = unsafe { ka_sockets(places.as_mut_ptr(), capacity) };
    let count = usize::try_from(count).expect("a count");
    assert!(places[count.min(capacity)..].iter().all(|place| *place == EMPTY));
    places.truncate(count.min(capacity));
    (count, places)
}

/// The one with this descriptor: state, local and remote address.
fn entry(fd: RawFd) -> (c_int, String, String) {
    let (_, sockets) = list(10_000);
    let socket = sockets.iter().find(|socket| socket.fd == fd).expect("the socket is listed");
    (socket.state, text(&socket.local), text(&socket.remote))
}

fn text(field: &[c_char; 64]) -> String {
    // SAFETY: the slice is the whole field; the next line fails if there is no NUL.
    let bytes = unsafe { std::slice::from_raw_parts(field.as_ptr().cast::<u8>(), field.len()) };
    CStr::from_bytes_until_nul(bytes).expect("NUL terminated").to_str().unwrap().to_owned()
}

#[test]
fn a_process_without_tcp_sockets_has_none() {
    in_child(|| {
        let _others = other_kinds();
        assert_eq!(list(100), (0, vec![]));
    });
}

#[test]
fn raw_sockets_are_left_out() {
    with_own_network(|| {
        let _raw = raw();
        assert_eq!(list(100).0, 0);
    });
}

#[test]
fn lists_each_state_with_both_addresses() {
    in_child(|| {
        let fresh = tcp4();
        assert_eq!(entry(fresh.as_raw_fd()), (KA_STATE_CLOSE, String::new(), String::new()));

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = listener.local_addr().unwrap().to_string();
        assert_eq!(entry(listener.as_raw_fd()), (KA_STATE_LISTEN, at.clone(), String::new()));

        let client = TcpStream::connect(&at).unwrap();
        let from = client.local_addr().unwrap().to_string();
        let server = listener.accept().unwrap().0;
        let established = KA_STATE_ESTABLISHED;
        assert_eq!(entry(client.as_raw_fd()), (established, from.clone(), at.clone()));
        assert_eq!(entry(server.as_raw_fd()), (established, at.clone(), from.clone()));

        drop(client);
        wait_until("the FIN", || entry(server.as_raw_fd()).0 == KA_STATE_CLOSE_WAIT);
        assert_eq!(entry(server.as_raw_fd()), (KA_STATE_CLOSE_WAIT, at, from));

        let (client, server) = connected();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        wait_until("the ACK", || entry(client.as_raw_fd()).0 == KA_STATE_FIN_WAIT2);
        drop(server);

        let (full_listener, waiting) = connecting();
        let (state, local, remote) = entry(waiting.as_raw_fd());
        assert_eq!(state, KA_STATE_SYN_SENT);
        assert!(local.starts_with("127.0.0.1:"), "{local}");
        assert_eq!(remote, entry(full_listener[0].as_raw_fd()).1);

        let reset = reset();
        let (state, _, remote) = entry(reset.as_raw_fd());
        assert_eq!((state, remote.as_str()), (KA_STATE_CLOSE, ""));
    });
}

#[test]
fn writes_ipv6_in_brackets_and_mapped_ipv4_as_ipv4() {
    in_child(|| {
        let (client, server) = connected_at((Ipv6Addr::LOCALHOST, 0).into());
        let port = |address: SocketAddr| address.port();
        let ours = format!("[::1]:{}", port(client.local_addr().unwrap()));
        let theirs = format!("[::1]:{}", port(server.local_addr().unwrap()));
        let established = KA_STATE_ESTABLISHED;
        assert_eq!(entry(client.as_raw_fd()), (established, ours.clone(), theirs.clone()));
        assert_eq!(entry(server.as_raw_fd()), (established, theirs, ours));

        let any = socket(libc::AF_INET6, libc::SOCK_STREAM, 0).unwrap();
        set_option(any.as_raw_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0).unwrap();
        socket2::SockRef::from(&any)
            .bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())
            .unwrap();
        let any = TcpListener::from(any);
        // SAFETY: takes no pointers.
        assert_eq!(unsafe { libc::listen(any.as_raw_fd(), 1) }, 0);
        let port = port(any.local_addr().unwrap());
        assert_eq!(entry(any.as_raw_fd()).1, format!("[::]:{port}"));

        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let mapped = any.accept().unwrap().0;
        assert!(mapped.peer_addr().unwrap().is_ipv6(), "the kernel shows it as ::ffff:127.0.0.1");
        let (state, local, remote) = entry(mapped.as_raw_fd());
        assert_eq!(state, established);
        assert_eq!(local, format!("127.0.0.1:{port}"));
        assert_eq!(remote, client.local_addr().unwrap().to_string());
    });
}

#[test]
fn the_longest_addresses_have_room() {
    let long = "2001:db8:1111:2222:3333:4444:5555:6666".parse().unwrap();
    let local = "fe80:1111:2222:3333:4444:5555:6666:7777".parse().unwrap();
    in_child(|| {
        for (address, scope) in [(long, 0), (local, 1)] {
            let socket = socket(libc::AF_INET6, libc::SOCK_STREAM, 0).unwrap();
            set_option(socket.as_raw_fd(), libc::IPPROTO_IPV6, libc::IPV6_FREEBIND, 1).unwrap();
            // The kernel gives out ports of five digits, unless an administrator chose others.
            let address = SocketAddrV6::new(address, 0, 0, scope);
            socket2::SockRef::from(&socket).bind(&address.into()).unwrap();
            let bound = TcpListener::from(socket);
            let expected = bound.local_addr().unwrap().to_string();
            assert!(expected.len() > 44, "{expected}");
            assert_eq!(entry(bound.as_raw_fd()).1, expected);
        }
    });
}

#[test]
fn a_thread_with_descriptors_of_its_own_lists_those() {
    in_child(|| {
        let shared = tcp4();
        let numbers = |listed: (usize, Vec<ka_socket>)| -> Vec<c_int> {
            listed.1.iter().map(|socket| socket.fd).collect()
        };
        let (own, listed) = thread::spawn(move || {
            // SAFETY: takes no pointers.
            check(unsafe { libc::unshare(libc::CLONE_FILES) }).unwrap();
            let own = at_number(tcp4(), 300);
            (own.into_raw_fd(), numbers(list(10)))
        })
        .join()
        .unwrap();
        assert_eq!(listed, [shared.as_raw_fd(), own]);
        assert_eq!(numbers(list(10)), [shared.as_raw_fd()]);
    });
}

#[test]
fn counts_all_and_writes_no_more_than_there_is_room_for() {
    in_child(|| {
        let sockets: Vec<_> = (0..5).map(|_| tcp4()).collect();
        let numbers: Vec<_> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
        for capacity in 0..8 {
            let (count, listed) = list(capacity);
            assert_eq!(count, 5);
            let listed: Vec<_> = listed.iter().map(|socket| socket.fd).collect();
            assert_eq!(listed, numbers[..capacity.min(5)]);
        }
        for capacity in [0, 1, usize::MAX] {
            // SAFETY: NULL is allowed with any capacity.
            assert_eq!(unsafe { ka_sockets(null_mut(), capacity) }, 5);
        }
        let anywhere = without_provenance_mut(1); // not even aligned
        // SAFETY: without room, the pointer is not used.
        assert_eq!(unsafe { ka_sockets(anywhere, 0) }, 5);
    });
}

#[test]
fn each_descriptor_of_a_socket_is_listed() {
    in_child(|| {
        let (client, _server) = connected();
        let duplicate = at_number(client.try_clone().unwrap(), 77);
        assert_eq!(entry(duplicate.as_raw_fd()), entry(client.as_raw_fd()));
        assert_eq!(list(100).0, 3);
    });
}

#[test]
fn lists_thousands_and_leaves_none_of_its_own_open() {
    allow_descriptors(3100);
    in_child(|| {
        let sockets: Vec<_> = (0..3000).map(|_| tcp4()).collect();
        let listed: Vec<_> = list(3000).1.iter().map(|socket| socket.fd).collect();
        assert_eq!(listed, sockets.iter().map(AsRawFd::as_raw_fd).collect::<Vec<_>>());
        assert_eq!(tcp4().as_raw_fd(), sockets[2999].as_raw_fd() + 1);
    });
}

#[test]
fn works_with_a_full_table_and_where_proc_cannot_be_read() {
    in_child(|| {
        let _sockets: Vec<_> = (0..30).map(|_| tcp4()).collect();
        let _far = at_number(tcp4(), 800);
        refuse(libc::SYS_openat, 0, libc::AT_FDCWD, libc::EACCES);
        assert_eq!(list(100).0, 31);
    });
    in_child(|| {
        let _sockets: Vec<_> = (0..30).map(|_| tcp4()).collect();
        fill_table();
        assert_eq!(list(100).0, 30);
    });
}

#[test]
fn lists_what_stays_open_while_other_threads_open_and_close() {
    in_child(|| {
        let sockets: Vec<_> = (0..100).map(|_| tcp4()).collect();
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    drop((0..20).map(|_| connected()).collect::<Vec<_>>());
                }
            });
            let complete = (0..100).all(|_| {
                let listed = list(1000).1;
                let is_listed = |fd| listed.iter().any(|socket| socket.fd == fd);
                sockets.iter().all(|socket| is_listed(socket.as_raw_fd()))
            });
            done.store(true, Ordering::Relaxed);
            assert!(complete, "a socket that was open all the time is missing");
        });
    });
}

#[test]
fn the_state_is_the_one_of_ka_status() {
    in_child(|| {
        let (_client, server) = connected();
        let mut liveness = std::mem::MaybeUninit::uninit();
        assert_eq!(ka_status(server.as_raw_fd(), Some(&mut liveness)), 0);
        // SAFETY: 0 says that it was written.
        assert_eq!(unsafe { liveness.assume_init() }.state, entry(server.as_raw_fd()).0);
    });
}
