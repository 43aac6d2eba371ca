//! The functions that the object exports, the originals that they call, and what runs when it is
//! loaded.
//!
//! Two of them are for clients that would otherwise have no keepalive: setsockopt() for phpredis,
//! and dlopen() for the libraries that PHP's extensions are linked with.
//!
//! connect() is a cancellation point: a thread that is cancelled in it unwinds through the function
//! here. So the functions are "C-unwind", and none of their values has a destructor.

use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::mem::{MaybeUninit, transmute_copy};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::{c_int, sockaddr, socklen_t};

use crate::log::{self, Subject};
use crate::system::{self, keeping_errno};
use crate::variables::Variables;
use crate::{keeps_on, named, opened};

/// What the variables say. Set once, by `loaded`; null if there is nothing to do. Not a `OnceLock`:
/// the compiler does not see that it cannot panic, and would add the code that prints a panic.
static VARIABLES: AtomicPtr<Variables> = AtomicPtr::new(null_mut());

static NEXT_SOCKET: Next<unsafe extern "C-unwind" fn(c_int, c_int, c_int) -> c_int> =
    Next::of(c"socket");
static NEXT_CONNECT: Next<unsafe extern "C-unwind" fn(c_int, *const sockaddr, socklen_t) -> c_int> =
    Next::of(c"connect");
static NEXT_SETSOCKOPT: Next<
    unsafe extern "C-unwind" fn(c_int, c_int, c_int, *const c_void, socklen_t) -> c_int,
> = Next::of(c"setsockopt");
static NEXT_LISTEN: Next<unsafe extern "C-unwind" fn(c_int, c_int) -> c_int> = Next::of(c"listen");

/// socket(2): without rules the new socket is set here.
///
/// # Safety
///
/// As socket(2); any arguments are allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
    let Some(next) = NEXT_SOCKET.get() else { return missing() };
    // SAFETY: the program's own call.
    let fd = unsafe { next(domain, kind, protocol) };
    if fd >= 0 {
        if let Some(variables) = variables() {
            keeping_errno(|| opened(variables, fd, domain, kind, protocol));
        }
    }
    fd
}

/// connect(2): with rules the socket is set here, before it connects.
///
/// # Safety
///
/// As connect(2): `address` is null or points to `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn connect(
    fd: c_int,
    address: *const sockaddr,
    length: socklen_t,
) -> c_int {
    if let Some(variables) = with_rules() {
        // SAFETY: the program's promise to connect(2).
        if let Some(address) = unsafe { system::internet_address(address, length) } {
            keeping_errno(|| named(variables, fd, address, Subject::ConnectingTo));
        }
    }
    let Some(next) = NEXT_CONNECT.get() else { return missing() };
    // SAFETY: the program's own call.
    unsafe { next(fd, address, length) }
}

/// listen(2): with rules the socket is set here; accepted connections inherit the values.
///
/// # Safety
///
/// As listen(2); any arguments are allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn listen(fd: c_int, backlog: c_int) -> c_int {
    if let Some(variables) = with_rules() {
        keeping_errno(|| {
            if let Some(address) = system::local_address(fd) {
                named(variables, fd, address, Subject::ListeningAt);
            }
        });
    }
    let Some(next) = NEXT_LISTEN.get() else { return missing() };
    // SAFETY: the program's own call.
    unsafe { next(fd, backlog) }
}

/// setsockopt(2): a program cannot switch off the keepalive that was set here. phpredis tries that
/// on each connection, because its own default is off. A program that has set its own values
/// decides itself.
///
/// # Safety
///
/// As setsockopt(2): `value` points to `length` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn setsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    length: socklen_t,
) -> c_int {
    if (level, name) == (libc::SOL_SOCKET, libc::SO_KEEPALIVE) {
        if let Some(variables) = variables() {
            // SAFETY: the program's promise to setsockopt(2).
            let is_off = unsafe { system::int(value, length) } == Some(0);
            let mut is_kept = false;
            if is_off {
                keeping_errno(|| is_kept = keeps_on(variables, fd));
            }
            if is_kept {
                return 0;
            }
        }
    }
    let Some(next) = NEXT_SETSOCKOPT.get() else { return missing() };
    // SAFETY: the program's own call.
    unsafe { next(fd, level, name, value, length) }
}

/// setsockopt(2), under the name that programs with 64-bit time use on 32-bit processors, such as
/// Debian 13's for armhf. For the options here both functions are the same.
///
/// # Safety
///
/// As setsockopt(2).
#[cfg(all(target_env = "gnu", target_pointer_width = "32"))]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn __setsockopt64(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    length: socklen_t,
) -> c_int {
    // SAFETY: the program's own call.
    unsafe { setsockopt(fd, level, name, value, length) }
}

fn variables() -> Option<&'static Variables> {
    // SAFETY: null, or the pointer that `loaded` has stored, to a static that is never written
    // again.
    unsafe { VARIABLES.load(Ordering::Acquire).as_ref() }
}

fn with_rules() -> Option<&'static Variables> {
    variables().filter(|variables| !variables.rules.is_empty())
}

/// The next definition of a function in the order of loading, of type `F`: the C library's, or that
/// of another object in `LD_PRELOAD`.
struct Next<F> {
    name: &'static CStr,
    found: AtomicPtr<c_void>,
    kind: PhantomData<F>,
}

impl<F: Copy> Next<F> {
    const fn of(name: &'static CStr) -> Self {
        Self { name, found: AtomicPtr::new(null_mut()), kind: PhantomData }
    }

    /// Looks the function up, unless that was done before. `loaded` does it for all functions, but
    /// the constructor of another object may call one of them earlier.
    fn get(&self) -> Option<F> {
        let mut found = self.found.load(Ordering::Relaxed);
        if found.is_null() {
            // SAFETY: the name is a C string.
            found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
            self.found.store(found, Ordering::Relaxed);
        }
        // SAFETY: `F` is the function's type in POSIX, and a null pointer becomes None.
        unsafe { transmute_copy::<*mut c_void, Option<F>>(&found) }
    }
}

/// Before version 8.5, PHP loads its extensions with RTLD_DEEPBIND. With this flag the libraries of
/// an extension (libpq, libcurl) call the C library directly, and not the functions here.
#[cfg(dlopen_jumps)]
mod deepbind {
    use std::ffi::{c_char, c_void};
    use std::ptr::null_mut;
    use std::sync::atomic::{AtomicI32, Ordering};

    use libc::c_int;

    use super::Next;

    static NEXT_DLOPEN: Next<unsafe extern "C-unwind" fn(*const c_char, c_int) -> *mut c_void> =
        Next::of(c"dlopen");

    /// The flags that are removed.
    static TAKEN: AtomicI32 = AtomicI32::new(0);

    /// If the program is PHP, the flag is removed, as PHP 8.5 does itself. Apache loads PHP later,
    /// as a module, and so keeps the flag, which it needs.
    pub fn look_for_php() {
        NEXT_DLOPEN.get();
        // SAFETY: the name is a C string.
        let php = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"zend_parse_parameters".as_ptr()) };
        if !php.is_null() {
            TAKEN.store(libc::RTLD_DEEPBIND, Ordering::Relaxed);
        }
    }

    /// dlopen(3).
    ///
    /// The C library's dlopen() searches the paths that its caller was linked with, and knows the
    /// caller by the return address. So the call of it must come last here: for the processors that
    /// build.rs names, the compiler turns such a call into a jump, which keeps the return address.
    ///
    /// # Safety
    ///
    /// As dlopen(3).
    #[unsafe(no_mangle)]
    pub unsafe extern "C-unwind" fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void {
        let Some(next) = NEXT_DLOPEN.get() else { return null_mut() };
        // SAFETY: the program's own call.
        unsafe { next(file, flags & !TAKEN.load(Ordering::Relaxed)) }
    }
}

/// The answer if no other object, not even the C library, has the function.
fn missing() -> c_int {
    system::set_errno(libc::ENOSYS);
    -1
}

/// The loader calls `loaded` after it has loaded this object.
#[used]
#[unsafe(link_section = ".init_array")]
static LOADED: extern "C-unwind" fn() = loaded;

extern "C-unwind" fn loaded() {
    static mut PLACE: MaybeUninit<Variables> = MaybeUninit::uninit();
    keeping_errno(|| {
        NEXT_SOCKET.get();
        NEXT_CONNECT.get();
        NEXT_LISTEN.get();
        NEXT_SETSOCKOPT.get();
        match Variables::read(system::environment) {
            Ok(None) => {}
            Ok(Some(variables)) => {
                let place = &raw mut PLACE;
                // SAFETY: the loader runs this once, and no other code knows the pointer before the
                // next line.
                unsafe { place.write(MaybeUninit::new(variables)) };
                VARIABLES.store(place.cast(), Ordering::Release);
                #[cfg(dlopen_jumps)]
                deepbind::look_for_php();
            }
            Err(wrong) => log::refuse(&wrong),
        }
    });
}
