//! What the tests share: descriptors of every kind, the kernel's own answers, and child processes.
//!
//! What is on a socket is read with plain getsockopt(2); only [`read_back`] asks the library.

#![allow(dead_code)] // each test file uses its part
#![allow(clippy::cast_possible_truncation)] // sizes of a few bytes, as socket calls want them
#![allow(clippy::needless_pass_by_value)] // option values, a few bytes too

use std::any::Any;
use std::fs::File;
use std::io::{Read, Write};
use std::mem::{MaybeUninit, size_of};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use keepalive::{KA_STATE_CLOSE, KA_STATE_SYN_SENT, KA_UNCHANGED, ka_get, ka_settings};
use libc::{IPPROTO_TCP, SO_KEEPALIVE, SOL_SOCKET, c_int, c_void};

pub const IDLE: c_int = libc::TCP_KEEPIDLE;
pub const INTVL: c_int = libc::TCP_KEEPINTVL;
pub const CNT: c_int = libc::TCP_KEEPCNT;
pub const USER_TIMEOUT: c_int = libc::TCP_USER_TIMEOUT;

/// Changes nothing by itself: tests overwrite the members that they need.
pub const UNCHANGED: ka_settings = ka_settings {
    enabled: KA_UNCHANGED,
    idle: KA_UNCHANGED,
    intvl: KA_UNCHANGED,
    cnt: KA_UNCHANGED,
    user_timeout_ms: KA_UNCHANGED,
};

/// Only the user timeout, in milliseconds.
pub const fn only_user_timeout(user_timeout_ms: c_int) -> ka_settings {
    ka_settings { user_timeout_ms, ..UNCHANGED }
}

/// What tests use as "other values than the system's".
pub const OTHER: Settings = Settings { enabled: Ok(1), idle: Ok(61), intvl: Ok(11), cnt: Ok(7) };

/// The keepalive options of a descriptor as getsockopt(2) reads them, or its errno for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    pub enabled: Result<c_int, c_int>,
    pub idle: Result<c_int, c_int>,
    pub intvl: Result<c_int, c_int>,
    pub cnt: Result<c_int, c_int>,
}

pub fn settings(fd: c_int) -> Settings {
    Settings {
        enabled: get_option(fd, SOL_SOCKET, SO_KEEPALIVE),
        idle: get_option(fd, IPPROTO_TCP, IDLE),
        intvl: get_option(fd, IPPROTO_TCP, INTVL),
        cnt: get_option(fd, IPPROTO_TCP, CNT),
    }
}

pub fn user_timeout(fd: c_int) -> Result<c_int, c_int> {
    get_option(fd, IPPROTO_TCP, USER_TIMEOUT)
}

/// The five values of a TCP socket as `ka_get` has to give them: -1 for MPTCP's user timeout.
pub fn kernel(fd: c_int) -> ka_settings {
    let Settings { enabled, idle, intvl, cnt } = settings(fd);
    ka_settings {
        enabled: enabled.unwrap(),
        idle: idle.unwrap(),
        intvl: intvl.unwrap(),
        cnt: cnt.unwrap(),
        user_timeout_ms: user_timeout(fd).unwrap_or(-1),
    }
}

/// What `ka_get` says, or its negative errno; and that it writes nothing when it fails.
pub fn read_back(fd: c_int) -> Result<ka_settings, c_int> {
    let canary = ka_settings { enabled: 12, idle: 34, intvl: 56, cnt: 78, user_timeout_ms: 90 };
    let mut place = MaybeUninit::new(canary);
    let returned = ka_get(fd, Some(&mut place));
    // SAFETY: it was initialised above.
    let settings = unsafe { place.assume_init() };
    assert!(returned == 0 || settings == canary, "it failed and wrote");
    if returned == 0 { Ok(settings) } else { Err(returned) }
}

/// Puts [`OTHER`] on a socket, without the library.
pub fn set_others(fd: c_int) {
    for (option, value) in [(IDLE, OTHER.idle), (INTVL, OTHER.intvl), (CNT, OTHER.cnt)] {
        set_option(fd, IPPROTO_TCP, option, value.unwrap()).unwrap();
    }
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1).unwrap();
}

/// getsockopt(2) of an `int`; the error is an errno.
pub fn get_option(fd: c_int, level: c_int, name: c_int) -> Result<c_int, c_int> {
    let mut value: c_int = -1;
    let mut length = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: pointer and length describe `value`.
    let returned = unsafe {
        libc::getsockopt(fd, level, name, (&raw mut value).cast::<c_void>(), &raw mut length)
    };
    check(returned).map(|_| value)
}

/// setsockopt(2) of any value; the error is an errno.
pub fn set_option<T>(fd: c_int, level: c_int, name: c_int, value: T) -> Result<(), c_int> {
    let length = size_of::<T>() as libc::socklen_t;
    // SAFETY: pointer and length describe `value`.
    let returned =
        unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast::<c_void>(), length) };
    check(returned).map(drop)
}

/// What the kernel reports in `TCP_INFO`.
pub fn tcp_info(fd: c_int) -> libc::tcp_info {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: pointer and length describe `info`.
    let returned = unsafe {
        libc::getsockopt(
            fd,
            IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast::<c_void>(),
            &raw mut length,
        )
    };
    check(returned).unwrap();
    // SAFETY: zeroed, and only integers.
    unsafe { info.assume_init() }
}

/// The state that the kernel reports there.
pub fn tcp_state(fd: c_int) -> c_int {
    tcp_info(fd).tcpi_state.into()
}

/// Turns the -1 of a system call into its errno.
pub fn check(returned: c_int) -> Result<c_int, c_int> {
    if returned == -1 { Err(errno()) } else { Ok(returned) }
}

pub fn errno() -> c_int {
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

/// Device and inode, as fstat(2) has them.
pub fn identity(fd: c_int) -> (u64, u64) {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the pointer is to a whole `stat`.
    check(unsafe { libc::fstat(fd, stat.as_mut_ptr()) }).unwrap();
    // SAFETY: fstat filled it in.
    let stat = unsafe { stat.assume_init() };
    (stat.st_dev, stat.st_ino)
}

/// A socket of any kind, or the errno.
pub fn socket(domain: c_int, kind: c_int, protocol: c_int) -> Result<OwnedFd, c_int> {
    // SAFETY: takes no pointers.
    let fd = check(unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) })?;
    // SAFETY: just opened, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// An unconnected TCP socket.
pub fn tcp4() -> OwnedFd {
    socket(libc::AF_INET, libc::SOCK_STREAM, 0).unwrap()
}

/// Both ends of a connection over IPv4 loopback: the connecting one, the accepted one.
pub fn connected() -> (TcpStream, TcpStream) {
    connected_at((Ipv4Addr::LOCALHOST, 0).into())
}

pub fn connected_at(address: SocketAddr) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(address).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

/// A descriptor of some kind, with what it needs to stay in its state.
pub struct Kind {
    pub name: &'static str,
    pub fd: c_int,
    /// The kernel's errno for setsockopt(2) of a TCP option on it; 0 for TCP.
    pub errno: c_int,
    kept: Box<dyn Any>,
}

impl Kind {
    fn new(name: &'static str, errno: c_int, fd: impl AsRawFd + 'static) -> Self {
        Self { name, fd: fd.as_raw_fd(), errno, kept: Box::new(fd) }
    }

    fn with(mut self, other: impl Any) -> Self {
        self.kept = Box::new((self.kept, other));
        self
    }

    /// A number that is not an open descriptor.
    fn number(name: &'static str, fd: c_int) -> Self {
        Self { name, fd, errno: libc::EBADF, kept: Box::new(()) }
    }
}

/// TCP sockets in every state that a program meets, on IPv4 and IPv6, and MPTCP.
pub fn tcp_kinds() -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut add = |name, fd: OwnedFd| kinds.push(Kind::new(name, 0, fd));
    add("tcp4", tcp4());
    add("tcp6", socket(libc::AF_INET6, libc::SOCK_STREAM, 0).unwrap());
    match socket(libc::AF_INET, libc::SOCK_STREAM, libc::IPPROTO_MPTCP) {
        Ok(fd) => add("mptcp", fd),
        Err(errno) => skipped("mptcp", errno),
    }

    let bind = |address: SocketAddr| TcpListener::bind(address).unwrap();
    kinds.push(Kind::new("listening4", 0, bind((Ipv4Addr::LOCALHOST, 0).into())));
    kinds.push(Kind::new("listening6", 0, bind((Ipv6Addr::LOCALHOST, 0).into())));

    let (listener, waiting) = connecting();
    kinds.push(Kind::new("connecting", 0, waiting).with(listener));

    let (client, server) = connected();
    kinds.push(Kind::new("connected4", 0, client).with(server));
    let (client, server) = connected();
    kinds.push(Kind::new("accepted4", 0, server).with(client));
    let (client, server) = connected_at((Ipv6Addr::LOCALHOST, 0).into());
    kinds.push(Kind::new("connected6", 0, client).with(server));

    let (client, server) = connected();
    client.shutdown(std::net::Shutdown::Both).unwrap();
    kinds.push(Kind::new("shut down", 0, client).with(server));
    let (client, server) = connected();
    drop(server);
    wait_until("the peer's FIN", || {
        tcp_state(client.as_raw_fd()) == keepalive::KA_STATE_CLOSE_WAIT
    });
    kinds.push(Kind::new("closed by its peer", 0, client));
    kinds.push(Kind::new("reset", 0, reset()));
    kinds
}

/// A connection that its peer has reset.
pub fn reset() -> TcpStream {
    let (client, server) = connected();
    let at_once = libc::linger { l_onoff: 1, l_linger: 0 };
    set_option(server.as_raw_fd(), SOL_SOCKET, libc::SO_LINGER, at_once).unwrap();
    drop(server);
    wait_until("the reset", || tcp_state(client.as_raw_fd()) == KA_STATE_CLOSE);
    client
}

/// A socket whose connect(2) does not end, because the listener's queue is full.
pub fn connecting() -> (Vec<OwnedFd>, OwnedFd) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    // SAFETY: takes no pointers.
    check(unsafe { libc::listen(listener.as_raw_fd(), 0) }).unwrap();
    let address = socket2::SockAddr::from(listener.local_addr().unwrap());
    let mut kept = vec![OwnedFd::from(listener)];
    for _ in 0..16 {
        let client = socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0).unwrap();
        let _in_progress = socket2::SockRef::from(&client).connect(&address);
        std::thread::sleep(Duration::from_millis(20));
        if tcp_state(client.as_raw_fd()) == KA_STATE_SYN_SENT {
            return (kept, client);
        }
        kept.push(client);
    }
    panic!("a listener with a backlog of 0 accepts everything");
}

/// Descriptors that are not TCP sockets, each with the kernel's errno for TCP options on it. Raw
/// sockets need a privilege: see [`raw`].
pub fn other_kinds() -> Vec<Kind> {
    use libc::{ENOPROTOOPT, ENOTSOCK, EOPNOTSUPP};
    use socket2::{Domain, Socket, Type};
    let udp = |ip: std::net::IpAddr| UdpSocket::bind((ip, 0)).unwrap();
    let (stream, stream_end) = UnixStream::pair().unwrap();
    let (dgram, dgram_end) = UnixDatagram::pair().unwrap();
    let (seqpacket, seqpacket_end) = Socket::pair(Domain::UNIX, Type::SEQPACKET, None).unwrap();
    let (reader, writer) = pipe();
    let unix_listener = socket(libc::AF_UNIX, libc::SOCK_STREAM, 0).unwrap();
    // SAFETY: bind reads two bytes of the address, as it is told. The kernel then chooses a name.
    unsafe {
        let unnamed = libc::sockaddr { sa_family: libc::AF_UNIX as u16, sa_data: [0; 14] };
        check(libc::bind(unix_listener.as_raw_fd(), &raw const unnamed, 2)).unwrap();
        check(libc::listen(unix_listener.as_raw_fd(), 1)).unwrap();
    }
    // SAFETY: takes no pointers.
    let epoll = unsafe { OwnedFd::from_raw_fd(check(libc::epoll_create1(0)).unwrap()) };
    let mut kinds = vec![
        Kind::new("udp4", ENOPROTOOPT, udp(Ipv4Addr::LOCALHOST.into())),
        Kind::new("udp6", ENOPROTOOPT, udp(Ipv6Addr::LOCALHOST.into())),
        Kind::new("unix stream", EOPNOTSUPP, stream).with(stream_end),
        Kind::new("unix datagram", EOPNOTSUPP, dgram).with(dgram_end),
        Kind::new("unix seqpacket", EOPNOTSUPP, seqpacket).with(seqpacket_end),
        Kind::new("unix listening", EOPNOTSUPP, unix_listener),
        Kind::new("file", ENOTSOCK, File::open("/proc/self/exe").unwrap()),
        Kind::new("directory", ENOTSOCK, File::open("/").unwrap()),
        Kind::new("device", ENOTSOCK, File::open("/dev/null").unwrap()),
        Kind::new("pipe's reading end", ENOTSOCK, reader),
        Kind::new("pipe's writing end", ENOTSOCK, writer),
        Kind::new("epoll", ENOTSOCK, epoll),
        Kind::number("-1", -1),
        Kind::number("INT_MIN", c_int::MIN),
        Kind::number("INT_MAX", c_int::MAX),
    ];
    let by_number = [
        ("netlink", libc::AF_NETLINK, libc::SOCK_RAW, ENOPROTOOPT),
        ("vsock", libc::AF_VSOCK, libc::SOCK_STREAM, ENOPROTOOPT),
    ];
    for (name, domain, kind, errno) in by_number {
        match socket(domain, kind, 0) {
            Ok(fd) => kinds.push(Kind::new(name, errno, fd)),
            Err(errno) => skipped(name, errno),
        }
    }
    kinds
}

/// Both ends of a pipe: reading, writing.
fn pipe() -> (OwnedFd, OwnedFd) {
    let mut ends = [-1; 2];
    // SAFETY: the pointer is to two writable ints, which are then nobody else's descriptors.
    unsafe {
        check(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC)).unwrap();
        (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    }
}

/// A raw socket, which needs `CAP_NET_RAW`: of the superuser, or of [`with_own_network`].
pub fn raw() -> Kind {
    let raw = socket(libc::AF_INET, libc::SOCK_RAW, IPPROTO_TCP).expect("a raw socket");
    Kind::new("raw", libc::ENOPROTOOPT, raw)
}

/// Says that this kernel lacks a kind of socket, in a way that the test harness does not capture.
fn skipped(name: &str, errno: c_int) {
    assert!(
        [libc::EAFNOSUPPORT, libc::EPROTONOSUPPORT, libc::ENOPROTOOPT].contains(&errno),
        "{name}: socket() failed with errno {errno}"
    );
    let line = format!("SKIPPED: this kernel has no {name} sockets\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Makes this end of an IPv4 connection look dead: from now on the kernel drops all packets that
/// arrive for it, because their TTL is below 255. This needs no privilege and no separate network.
pub fn silence(fd: c_int) {
    set_option(fd, libc::IPPROTO_IP, libc::IP_MINTTL, 255).unwrap();
}

/// Undoes [`silence`]: what arrives from now on is received.
pub fn hear_again(fd: c_int) {
    set_option(fd, libc::IPPROTO_IP, libc::IP_MINTTL, 0).unwrap();
}

/// From now on, one system call of this thread fails with `errno` when its argument number
/// `argument` (counted from 0) has this value. It cannot be undone.
pub fn refuse(call: libc::c_long, argument: u32, value: c_int, errno: c_int) {
    let argument_at = 16 + 8 * argument; // in struct seccomp_data; the low half is first
    filter(&mut [
        statement(LOAD, 0), // the number of the call
        jump(EQUAL, u32::try_from(call).unwrap(), 0, 3),
        statement(LOAD, argument_at),
        jump(EQUAL, u32::from_ne_bytes(value.to_ne_bytes()), 0, 1),
        statement(ANSWER, libc::SECCOMP_RET_ERRNO | u32::try_from(errno).unwrap()),
        statement(ANSWER, libc::SECCOMP_RET_ALLOW),
    ]);
}

/// From now on, a system call of this thread fails with `errno`, for all arguments.
pub fn refuse_always(call: libc::c_long, errno: c_int) {
    filter(&mut [
        statement(LOAD, 0),
        jump(EQUAL, u32::try_from(call).unwrap(), 0, 1),
        statement(ANSWER, libc::SECCOMP_RET_ERRNO | u32::try_from(errno).unwrap()),
        statement(ANSWER, libc::SECCOMP_RET_ALLOW),
    ]);
}

const EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const ANSWER: u32 = libc::BPF_RET | libc::BPF_K;

fn filter(program: &mut [libc::sock_filter]) {
    let program = libc::sock_fprog {
        len: u16::try_from(program.len()).unwrap(),
        filter: program.as_mut_ptr(),
    };
    // SAFETY: prctl and seccomp read `program`, whose pointer and length agree.
    unsafe {
        check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)).unwrap();
        let filtered = libc::SECCOMP_MODE_FILTER;
        check(libc::prctl(libc::PR_SET_SECCOMP, filtered, &raw const program)).unwrap();
    }
}

fn statement(code: u32, k: u32) -> libc::sock_filter {
    jump(code, k, 0, 0)
}

fn jump(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).unwrap(), jt, jf, k }
}

/// Runs the test in a process of its own with descriptors 0 to 2 only: for tests that depend on
/// descriptor numbers, limits, or seccomp filters, which other threads' tests would disturb.
pub fn in_child(test: impl FnOnce()) {
    REPORTING_OF_PANICS.call_once(|| {
        let report = take_hook();
        set_hook(Box::new(move |panic| {
            if !IS_CHILD.load(Ordering::Relaxed) {
                report(panic);
            }
        }));
    });
    let (mut reported, report) = UnixStream::pair().unwrap();
    // SAFETY: the child uses memory, descriptors and system calls only; glibc keeps its allocator
    // usable after a fork among threads.
    let pid = check(unsafe { libc::fork() }).unwrap();
    if pid == 0 {
        IS_CHILD.store(true, Ordering::Relaxed);
        // SAFETY: takes no pointers. A child that hangs ends as a failure after a minute.
        unsafe { libc::alarm(60) };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            close_all_but(report.as_raw_fd());
            test();
        }));
        let message = outcome.err().map_or_else(String::new, |panic| {
            panic
                .downcast::<String>()
                .map(|message| *message)
                .or_else(|panic| panic.downcast::<&str>().map(|message| (*message).to_owned()))
                .unwrap_or_else(|_| "a panic without a message".into())
        });
        write_all(REPORT, &message);
        // SAFETY: ends the child at once, without the parent's exit handlers.
        unsafe { libc::_exit(c_int::from(!message.is_empty())) }
    }
    drop(report);
    let mut message = String::new();
    reported.read_to_string(&mut message).unwrap();
    let mut status = 0;
    // SAFETY: the pointer is to a writable int.
    check(unsafe { libc::waitpid(pid, &raw mut status, 0) }).unwrap();
    assert!(status == 0, "in the child process: {message} (wait status {status:#x})");
}

/// A child does not print its panic; its parent does. Printing takes locks. If another thread of
/// the parent had one at the moment of the fork, nobody would release it in the child.
static REPORTING_OF_PANICS: Once = Once::new();
static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// The number of a child's connection to its parent.
const REPORT: RawFd = 3;
/// The first free descriptor in a child.
pub const FIRST_FREE: RawFd = 4;

fn close_all_but(report: RawFd) {
    // SAFETY: the child is single-threaded, so nobody else uses what is closed here, and what owns
    // it is never dropped.
    unsafe {
        if report != REPORT {
            check(libc::dup2(report, REPORT)).unwrap();
        }
        libc::syscall(libc::SYS_close_range, FIRST_FREE, c_int::MAX, 0);
    }
}

fn write_all(fd: RawFd, message: &str) {
    // SAFETY: pointer and length are of `message`.
    unsafe { libc::write(fd, message.as_ptr().cast::<c_void>(), message.len()) };
}

/// Runs the test in a child process that is the superuser of a network of its own.
pub fn with_own_network(test: impl FnOnce()) {
    in_child(|| {
        unshare_as_superuser(libc::CLONE_NEWNET);
        test();
    });
}

/// Moves this process into new namespaces. Without root that takes a user namespace too, which the
/// kernel forbids in a chroot, and some systems everywhere.
pub fn unshare_as_superuser(namespaces: c_int) {
    // SAFETY: takes no pointers.
    let unshare = |namespaces| check(unsafe { libc::unshare(namespaces) });
    // SAFETY: takes no pointers.
    let user = unsafe { libc::getuid() };
    // Programs that are started from here keep the privileges only as user 0 of the new namespace.
    let become_root = |_| std::fs::write("/proc/self/uid_map", format!("0 {user} 1")).unwrap();
    unshare(namespaces)
        .map(drop)
        .or_else(|_| unshare(namespaces | libc::CLONE_NEWUSER).map(become_root))
        .expect("unshare(2): the test needs root, or user namespaces");
}

/// Writes a sysctl of this network namespace: "`tcp_keepalive_time`", "60".
pub fn sysctl(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/ipv4/{name}"), value).unwrap();
}

/// Runs a command of the system's administrator, and fails when it does.
pub fn shell(command: &str) {
    let command = format!("PATH=$PATH:/usr/sbin:/sbin; {command}");
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Raises the soft limit of open descriptors to this, or fails where the hard limit is lower.
pub fn allow_descriptors(count: u64) {
    let mut limit = descriptor_limit();
    assert!(limit.rlim_max >= count, "the test needs `ulimit -Hn` to be {count} or more");
    limit.rlim_cur = limit.rlim_cur.max(count);
    set_descriptor_limit(limit);
}

pub fn descriptor_limit() -> libc::rlimit {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a whole `rlimit`.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }).unwrap();
    limit
}

pub fn set_descriptor_limit(limit: libc::rlimit) {
    // SAFETY: the pointer is to a whole `rlimit`.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }).unwrap();
}

/// Opens descriptors until the table is full, and leaves them open.
pub fn fill_table() {
    // SAFETY: takes no pointers.
    while unsafe { libc::dup(0) } != -1 {}
    assert_eq!(errno(), libc::EMFILE);
}

/// Moves a descriptor to this number.
pub fn at_number(fd: impl IntoRawFd, number: RawFd) -> OwnedFd {
    let fd = fd.into_raw_fd();
    // SAFETY: the old number is given up, the new one is nobody else's.
    unsafe {
        check(libc::dup2(fd, number)).unwrap();
        if fd != number {
            libc::close(fd);
        }
        OwnedFd::from_raw_fd(number)
    }
}

/// Waits for what another thread or the kernel is about to do; fails after ten seconds.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what} did not come in ten seconds");
        std::thread::sleep(Duration::from_millis(1));
    }
}
