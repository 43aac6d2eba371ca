//! Unsafe code that is not in the core: errno, the environment, addresses from C, and writing
//! without the standard library's buffers and locks.

use std::ffi::{CStr, c_char, c_void};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ptr::null;
use std::slice;

use libc::{c_int, sockaddr, socklen_t};

unsafe extern "C" {
    // arpa/inet.h; the libc crate leaves them out.
    fn inet_pton(family: c_int, text: *const c_char, address: *mut c_void) -> c_int;
    fn inet_ntop(
        family: c_int,
        address: *const c_void,
        text: *mut c_char,
        room: socklen_t,
    ) -> *const c_char;
}

/// `INET6_ADDRSTRLEN`, the NUL included.
pub const LONGEST_ADDRESS: usize = 46;

#[allow(clippy::cast_possible_truncation)] // 128
const SOCKADDR_STORAGE: socklen_t = size_of::<libc::sockaddr_storage>() as socklen_t;

/// Runs `action` and leaves errno as it was.
pub fn keeping_errno(action: impl FnOnce()) {
    // SAFETY: the C library's pointer to this thread's errno is always valid.
    let errno = unsafe { *libc::__errno_location() };
    action();
    set_errno(errno);
}

pub fn set_errno(errno: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno }
}

/// A variable of the environment. Only for use while the object is loaded: later the program may
/// change the environment.
///
/// Always None in a setuid program. The user who starts it chooses the variables, and the log could
/// be any file. The loader ignores LD_PRELOAD in such a program, but not /etc/ld.so.preload.
pub fn environment(name: &CStr) -> Option<&'static [u8]> {
    // SAFETY: getauxval() reads what the kernel has told the loader.
    if unsafe { libc::getauxval(libc::AT_SECURE) } != 0 {
        return None;
    }
    // SAFETY: the name is a C string. The loader runs this before the program has a second thread.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: getenv() found a C string, which stays as it is while the object is loaded.
    Some(unsafe { CStr::from_ptr(value) }.to_bytes())
}

/// An option's value, if it is an `int`.
///
/// # Safety
///
/// `value` is null or points to `length` readable bytes.
pub unsafe fn int(value: *const c_void, length: socklen_t) -> Option<c_int> {
    let is_int = !value.is_null() && usize::try_from(length).ok()? >= size_of::<c_int>();
    // SAFETY: the caller's promise; the value need not be aligned.
    is_int.then(|| unsafe { value.cast::<c_int>().read_unaligned() })
}

/// The address that a program gives to connect(), if it is IPv4 or IPv6 and whole.
///
/// # Safety
///
/// `address` is null or points to `length` readable bytes.
pub unsafe fn internet_address(address: *const sockaddr, length: socklen_t) -> Option<SocketAddr> {
    if address.is_null() {
        return None;
    }
    let length = usize::try_from(length).ok()?.min(size_of::<libc::sockaddr_in6>());
    // SAFETY: the caller's promise; bytes need no alignment.
    let bytes = unsafe { slice::from_raw_parts(address.cast::<u8>(), length) };
    let (family, rest) = bytes.split_first_chunk()?;
    let (port, rest) = rest.split_first_chunk()?;
    let ip = match c_int::from(libc::sa_family_t::from_ne_bytes(*family)) {
        libc::AF_INET => Ipv4Addr::from(*rest.first_chunk::<4>()?).into(),
        libc::AF_INET6 => Ipv6Addr::from(*rest.get(4..)?.first_chunk::<16>()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(*port)))
}

/// The address that a socket is bound to, if it is IPv4 or IPv6.
pub fn local_address(fd: c_int) -> Option<SocketAddr> {
    let mut address = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    let mut length = SOCKADDR_STORAGE;
    // SAFETY: pointer and length are of a whole, writable address.
    if unsafe { libc::getsockname(fd, address.as_mut_ptr().cast(), &raw mut length) } != 0 {
        return None;
    }
    // SAFETY: the address is alive; it was zeroed first, so all of its bytes can be read.
    unsafe { internet_address(address.as_ptr().cast(), length.min(SOCKADDR_STORAGE)) }
}

/// An IP address written in the usual way.
///
/// The standard library could do this too, but adds the code that prints a panic.
pub fn parse_address(text: &[u8]) -> Option<IpAddr> {
    let mut with_nul = [0; LONGEST_ADDRESS];
    with_nul.get_mut(..text.len())?.copy_from_slice(text);
    let text = CStr::from_bytes_until_nul(&with_nul).ok()?;
    let mut bytes = [0_u8; 16];
    // SAFETY: the text is a C string, and there is room for the 4 bytes of AF_INET.
    if unsafe { inet_pton(libc::AF_INET, text.as_ptr(), bytes.as_mut_ptr().cast()) } == 1 {
        return bytes.first_chunk::<4>().map(|&bytes| IpAddr::from(bytes));
    }
    // SAFETY: the text is a C string, and there is room for the 16 bytes of AF_INET6.
    let is_ipv6 =
        unsafe { inet_pton(libc::AF_INET6, text.as_ptr(), bytes.as_mut_ptr().cast()) } == 1;
    is_ipv6.then(|| IpAddr::from(bytes))
}

/// The text of an address, in `room`.
pub fn write_address(address: IpAddr, room: &mut [u8; LONGEST_ADDRESS]) -> &[u8] {
    let (family, bytes) = match &address {
        IpAddr::V4(address) => (libc::AF_INET, &address.octets()[..]),
        IpAddr::V6(address) => (libc::AF_INET6, &address.octets()[..]),
    };
    // SAFETY: there are as many bytes as the family has; pointer and length are the room's.
    let text = unsafe { inet_ntop(family, bytes.as_ptr().cast(), room.as_mut_ptr().cast(), 46) };
    if text.is_null() { b"?" } else { until_nul(room) }
}

/// The bytes before the first NUL.
pub fn until_nul(bytes: &[u8]) -> &[u8] {
    CStr::from_bytes_until_nul(bytes).map_or(bytes, CStr::to_bytes)
}

/// The name of this thread, at most 15 bytes. It is the beginning of the program's name, unless the
/// thread has a name of its own, as in Java and Node.js.
pub fn thread_name() -> [u8; 16] {
    let mut name = [0; 16];
    // SAFETY: PR_GET_NAME writes 16 bytes.
    unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr()) };
    name
}

/// Writes a line at the end of a file, which is made if it is missing.
///
/// This and the next function make system calls directly. The C library's functions for them are
/// cancellation points, and no program expects a thread to end in socket() or setsockopt().
pub fn append(path: &CStr, line: &[u8]) {
    // Without O_NONBLOCK, opening a named pipe would wait for a reader.
    let flags = libc::O_WRONLY
        | libc::O_APPEND
        | libc::O_CREAT
        | libc::O_CLOEXEC
        | libc::O_NOCTTY
        | libc::O_NONBLOCK;
    // SAFETY: the path is a C string.
    let fd = unsafe {
        libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags, 0o666 as c_int)
    };
    if let Ok(fd @ 0..) = c_int::try_from(fd) {
        write(fd, line);
        // SAFETY: it was opened here, and nothing else knows it.
        unsafe { libc::syscall(libc::SYS_close, fd) };
    }
}

/// Writes a line, unless the write would wait, nobody can read it, or the file is too large.
pub fn write(fd: c_int, line: &[u8]) {
    let mut ready = libc::pollfd { fd, events: libc::POLLOUT, revents: 0 };
    let at_once = [0_u64; 2]; // as large as any timespec
    // SAFETY: the pointers are to one whole pollfd and to a time; there is no signal mask.
    let count = unsafe {
        let no_mask = null::<c_void>();
        libc::syscall(
            libc::SYS_ppoll,
            &raw mut ready,
            1_usize,
            &raw const at_once,
            no_mask,
            0_usize,
        )
    };
    if count == 1 && ready.revents == libc::POLLOUT && has_room(fd, line.len()) {
        // SAFETY: pointer and length are the line's.
        unsafe { libc::syscall(libc::SYS_write, fd, line.as_ptr(), line.len()) };
    }
}

/// Whether a file stays within RLIMIT_FSIZE after a line of this length. The kernel ends a program
/// that writes more, and sandboxes set the limit to 0.
#[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, clippy::cast_lossless)] // 32-bit types
fn has_room(fd: c_int, length: usize) -> bool {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the pointer is to a whole, writable rlimit.
    unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) };
    if limit.rlim_cur == libc::RLIM_INFINITY {
        return true;
    }
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the pointer is to a whole, writable stat.
    if unsafe { libc::fstat(fd, stat.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: fstat succeeded, so the kernel has filled it in.
    let stat = unsafe { stat.assume_init() };
    let end = (stat.st_size as u64).saturating_add(length as u64);
    stat.st_mode & libc::S_IFMT != libc::S_IFREG || end <= limit.rlim_cur as u64
}
