//! Every unsafe system call, each behind a safe function that turns -1 into an [`Errno`], and
//! conversions to C types that several modules need.

use std::mem::{MaybeUninit, size_of};
use std::os::fd::BorrowedFd;

use libc::{c_int, c_void, socklen_t};
use socket2::SockAddr;

use crate::errors::Errno;

/// Turns the return value of a system call into a `Result`.
fn check(returned: c_int) -> Result<c_int, Errno> {
    if returned == -1 { Err(Errno::last()) } else { Ok(returned) }
}

/// setsockopt(2) with an `int`.
pub fn set_option(fd: c_int, level: c_int, name: c_int, value: c_int) -> Result<(), Errno> {
    // SAFETY: the pointer and the length describe `value`, which outlives the call; the kernel
    // only reads it, and answers a number that is no open socket with an errno.
    let returned = unsafe {
        libc::setsockopt(fd, level, name, (&raw const value).cast::<c_void>(), socklen::<c_int>())
    };
    check(returned).map(drop)
}

/// getsockopt(2) of an `int`.
pub fn get_option(fd: c_int, level: c_int, name: c_int) -> Result<c_int, Errno> {
    let mut value: c_int = 0;
    let mut length = socklen::<c_int>();
    // SAFETY: the pointers are to a whole `int` and to its length, both writable and alive for the
    // whole call; the kernel answers a number that is no open socket with an errno.
    let returned = unsafe {
        libc::getsockopt(fd, level, name, (&raw mut value).cast::<c_void>(), &raw mut length)
    };
    check(returned).map(|_| value)
}

/// Lends `fd` to socket2 and std, which do not accept plain numbers and panic on negative ones.
pub fn borrow(fd: c_int) -> Result<BorrowedFd<'static>, Errno> {
    if fd < 0 {
        return Err(Errno(libc::EBADF));
    }
    // SAFETY: `fd` is not -1. It is used for option and name queries only, never read, written or
    // closed; if it is not open, the kernel answers EBADF.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Fails with the kernel's own errno on anything but a TCP socket, and changes nothing.
///
/// Asks for `TCP_NODELAY`, the one option of this level that every TCP has.
pub fn refuse_unless_tcp(fd: c_int) -> Result<(), Errno> {
    get_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY).map(drop)
}

/// The device and inode of an open descriptor, by fstat(2).
pub fn identity(fd: c_int) -> Result<(u64, u64), Errno> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: the pointer is to a whole, writable `stat`.
    check(unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
    // SAFETY: fstat succeeded, so the kernel has filled it in.
    let stat = unsafe { stat.assume_init() };
    // Some platforms have narrower or signed types here; Linux has u64.
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, clippy::cast_lossless)]
    Ok((stat.st_dev as u64, stat.st_ino as u64))
}

/// `TCP_INFO` of a socket. Fields that an older kernel does not know stay zero.
#[cfg(target_os = "linux")]
pub fn tcp_info(fd: c_int) -> Result<libc::tcp_info, Errno> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = socklen::<libc::tcp_info>();
    // SAFETY: the pointer and the length describe a whole, writable `tcp_info`; the kernel writes
    // at most `length` bytes.
    check(unsafe {
        libc::getsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast::<c_void>(),
            &raw mut length,
        )
    })?;
    // SAFETY: it was zeroed first, and consists of integers only.
    Ok(unsafe { info.assume_init() })
}

/// The address that a socket with this local address is connecting to, by `SO_PEERNAME`:
/// getpeername(2) knows it only after the peer has answered.
#[cfg(target_os = "linux")]
pub fn connecting_to(fd: c_int, local: &SockAddr) -> Result<SockAddr, Errno> {
    // SAFETY: the pointer is to a whole, writable address. The kernel writes its first `length`
    // bytes: an address of the same family as the local one.
    let (_, remote) = unsafe {
        SockAddr::try_init(|address, length| {
            *length = local.len(); // EINVAL for any larger length
            check(libc::getsockopt(
                fd,
                libc::SOL_SOCKET,
                libc::SO_PEERNAME,
                address.cast::<c_void>(),
                length,
            ))
            .map_err(|errno| std::io::Error::from_raw_os_error(errno.0))
        })?
    };
    Ok(remote)
}

/// Other systems do not report it.
#[cfg(not(target_os = "linux"))]
pub fn connecting_to(_: c_int, _: &SockAddr) -> Result<SockAddr, Errno> {
    Err(Errno(libc::ENOTCONN))
}

/// getdents64(2): fills `buffer` with the next directory entries and returns how many bytes they
/// take, 0 at the end.
#[cfg(target_os = "linux")]
pub fn read_directory(directory: BorrowedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    use std::os::fd::AsRawFd;
    // SAFETY: the pointer and the length describe `buffer`, which is writable and borrowed for the
    // whole call.
    let read = unsafe {
        libc::syscall(
            libc::SYS_getdents64,
            directory.as_raw_fd(),
            buffer.as_mut_ptr(),
            buffer.len(),
        )
    };
    usize::try_from(read).map_err(|_| Errno::last())
}

/// The soft `RLIMIT_NOFILE`: every descriptor opened under it is smaller.
pub fn descriptor_limit() -> Result<u64, Errno> {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: the pointer is to a whole, writable `rlimit`.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) })?;
    // SAFETY: getrlimit succeeded, so the kernel has filled it in.
    let limit = unsafe { limit.assume_init() };
    // Not u64 on every platform.
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, clippy::cast_lossless)]
    let soft = limit.rlim_cur as u64;
    Ok(soft)
}

/// Runs `action`. Meanwhile `pthread_cancel(3)` does not end this thread.
///
/// A cancelled thread ends in its next open(2), close(2) or similar call. glibc unwinds its stack
/// there, and the process aborts when the unwinding reaches Rust code.
#[cfg(all(target_os = "linux", not(miri)))]
pub fn uncancelled<T>(action: impl FnOnce() -> T) -> T {
    // pthread.h, of glibc and of musl; the libc crate leaves both out.
    const PTHREAD_CANCEL_DISABLE: c_int = 1;
    unsafe extern "C" {
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let (mut before, mut disabled) = (0, 0);
    // SAFETY: the pointer is to an `int`.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut before) };
    let result = action();
    // SAFETY: as above.
    unsafe { pthread_setcancelstate(before, &raw mut disabled) };
    result
}

/// Other systems may do it differently, and Miri knows no such function.
#[cfg(any(not(target_os = "linux"), miri))]
pub fn uncancelled<T>(action: impl FnOnce() -> T) -> T {
    action()
}

/// The caller's array as a slice; empty where the caller has none.
///
/// # Safety
///
/// `array` is null, or points to `capacity` writable elements, which nothing else reads or writes
/// while the slice lives.
pub unsafe fn caller_array<'a, T>(array: *mut T, capacity: usize) -> &'a mut [MaybeUninit<T>] {
    if array.is_null() || capacity == 0 {
        return &mut []; // without room, a C program may give any pointer
    }
    // SAFETY: the caller's promise above; MaybeUninit has T's layout and asks for no valid content.
    unsafe { std::slice::from_raw_parts_mut(array.cast::<MaybeUninit<T>>(), capacity) }
}

/// The size of an option's value, as the socket calls want it.
#[allow(clippy::cast_possible_truncation)] // a few hundred bytes at most
fn socklen<T>() -> socklen_t {
    size_of::<T>() as socklen_t
}

/// The same number as an `int`, or the largest one.
pub fn saturate(number: impl TryInto<c_int>) -> c_int {
    number.try_into().unwrap_or(c_int::MAX)
}
