//! The open descriptors of this process: one of them by its identity, or all of them.

use std::ops::Range;
use std::sync::atomic::{AtomicI32, Ordering};

use libc::c_int;

use crate::errors::Errno;
use crate::{found_before, sys};

/// Distances from the descriptor that was found last, in the order in which they are tried: the
/// next number, the same number (another socket may have it now), and the numbers around them.
const AROUND: [c_int; 9] = [1, 0, 2, 3, 4, -1, -2, -3, -4];

/// The descriptor that the last search found. A caller that goes through its sockets in order asks
/// for the next one now. Every guess is checked before use, so threads may overwrite this freely.
static LAST_FOUND: AtomicI32 = AtomicI32::new(-1);

/// The descriptor whose `fstat` has this device and inode; see `ka_find`.
///
/// First come guesses, which cost the same with any number of open descriptors: where this socket
/// was found before, and the numbers around the last one found. Then come the numbers below the
/// lowest free one, downwards, because a socket that was just opened is often right below it. Last
/// come the descriptors above it, as the system lists them.
pub fn find(dev: u64, ino: u64) -> Result<c_int, Errno> {
    // In 32-bit PHP, inodes from 2^31 on are negative numbers, which arrive here sign-extended.
    #[cfg(target_pointer_width = "32")]
    let ino = if ino >> 32 == 0xFFFF_FFFF { ino & 0xFFFF_FFFF } else { ino };
    let is_wanted = |fd: &c_int| sys::identity(*fd) == Ok((dev, ino));

    let last = LAST_FOUND.load(Ordering::Relaxed);
    let mut guesses = found_before::descriptor(ino)
        .into_iter()
        .chain(AROUND.map(|step| last.saturating_add(step)))
        .filter(|&fd| fd >= 0);
    let found = guesses.find(is_wanted).or_else(|| {
        let mut open = OpenDescriptors::list();
        let free = open.lowest_free().unwrap_or(0);
        (0..free).rev().find(is_wanted).or_else(|| open.find(|fd| *fd >= free && is_wanted(fd)))
    });
    let fd = found.ok_or(Errno(libc::ENOENT))?;
    LAST_FOUND.store(fd, Ordering::Relaxed);
    found_before::remember(ino, fd);
    Ok(fd)
}

/// Goes through the open descriptors. Some of those returned may be closed: other threads close
/// descriptors at the same time, and without a list from the system every number is returned. So
/// callers check each one with the kernel.
#[allow(clippy::large_enum_variant)] // lives on the stack, once, so that nothing is allocated
pub(crate) enum OpenDescriptors {
    /// As /proc lists them.
    #[cfg(target_os = "linux")]
    Listed(listing::Listing),
    /// Every number from zero on, where there is no list.
    Walked(Range<c_int>),
}

impl OpenDescriptors {
    #[cfg(target_os = "linux")]
    pub(crate) fn list() -> Self {
        match listing::open() {
            Ok(directory) => Self::Listed(listing::Listing::of(directory)),
            Err(error) => Self::walk(error == Errno(libc::EMFILE)),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn list() -> Self {
        Self::walk(false)
    }

    /// The lowest number that was free when the list was opened, where that is known.
    pub(crate) fn lowest_free(&self) -> Option<c_int> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Listed(listing) => Some(listing.descriptor()),
            Self::Walked(_) => None,
        }
    }

    /// The limit can be a thousand million with three descriptors open, so the walk ends at
    /// `FAR_ENOUGH` at the latest. A full table is different: every number below the limit is open,
    /// and if the limit was lowered afterwards, numbers above it may be open too. Then the walk
    /// ends at the larger of the two.
    fn walk(table_is_full: bool) -> Self {
        const FAR_ENOUGH: u64 = 65_536;
        let limit = sys::descriptor_limit().unwrap_or(FAR_ENOUGH);
        let end = if table_is_full { limit.max(FAR_ENOUGH) } else { limit.min(FAR_ENOUGH) };
        Self::Walked(0..c_int::try_from(end).unwrap_or(c_int::MAX))
    }
}

impl Iterator for OpenDescriptors {
    type Item = c_int;

    fn next(&mut self) -> Option<c_int> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Listed(listing) => listing.next().unwrap_or_else(|_| {
                // The list could be opened but not read: a security policy forbids it.
                *self = Self::walk(false);
                self.next()
            }),
            Self::Walked(numbers) => numbers.next(),
        }
    }
}

/// The kernel's own list, read without a single allocation.
#[cfg(target_os = "linux")]
mod listing {
    use std::ffi::CStr;
    use std::fs::File;
    use std::os::fd::{AsFd, AsRawFd};

    use libc::c_int;

    use crate::errors::Errno;
    use crate::sys;

    pub(crate) struct Listing {
        directory: File,
        /// Small, because a signal handler's stack may have only 8192 bytes (SIGSTKSZ).
        buffer: [u8; 2048],
        /// The part of `buffer` that was read and not yet returned.
        unread: std::ops::Range<usize>,
    }

    /// Not /proc/self/fd, which lists the main thread's descriptors: this thread may have a table
    /// of its own, and the list is empty after the main thread has ended.
    pub(super) fn open() -> Result<File, Errno> {
        Ok(File::open("/proc/thread-self/fd")?)
    }

    impl Listing {
        pub(super) fn of(directory: File) -> Self {
            Self { directory, buffer: [0; 2048], unread: 0..0 }
        }

        pub(super) fn descriptor(&self) -> c_int {
            self.directory.as_raw_fd()
        }

        /// The next descriptor, without this list's own.
        pub(super) fn next(&mut self) -> Result<Option<c_int>, Errno> {
            loop {
                if self.unread.is_empty() {
                    let read = sys::read_directory(self.directory.as_fd(), &mut self.buffer)?;
                    if read == 0 {
                        return Ok(None);
                    }
                    self.unread = 0..read;
                }
                let entries = self.buffer.get(self.unread.clone()).unwrap_or_default();
                let Some((length, name)) = first_entry(entries) else {
                    return Err(Errno(libc::EIO));
                };
                self.unread.start += length;
                match name.parse() {
                    Ok(fd) if fd != self.descriptor() => return Ok(Some(fd)),
                    _ => {} // this list itself, ".", ".."
                }
            }
        }
    }

    /// Length and name of the first `struct linux_dirent64`, whose fields stand one after the
    /// other: inode 8 bytes, offset 8, record length 2, type 1, name.
    fn first_entry(entries: &[u8]) -> Option<(usize, &str)> {
        let length = entries.get(16..18)?.try_into().ok().map(u16::from_ne_bytes)?;
        let name = CStr::from_bytes_until_nul(entries.get(19..length.into())?).ok()?;
        Some((length.into(), name.to_str().ok()?))
    }
}
