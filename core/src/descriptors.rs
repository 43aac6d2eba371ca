//! The open descriptors of this process: one of them by its identity, or all of them.

use std::ops::Range;
use std::sync::atomic::{AtomicI32, Ordering};

use libc::c_int;

use crate::errors::Errno;
use crate::{found_before, sys};

/// Which descriptors around the last one are tried, in this order: the next one, the same number
/// (another socket may have it now), and the neighbours.
const AROUND: [c_int; 9] = [1, 0, 2, 3, 4, -1, -2, -3, -4];

/// Where the last search ended: a caller that goes through its sockets one after the other asks for
/// the next one now. Like every guess here it is checked before use, so threads may overwrite it
/// freely.
static LAST_FOUND: AtomicI32 = AtomicI32::new(-1);

/// The descriptor whose `fstat` has this device and inode; see `ka_find`.
///
/// Guesses make the usual cases cost the same whatever the number of open descriptors: where the
/// socket was before, the next one in a run, its neighbours. Then downwards from the lowest free
/// number, because a socket that was opened a moment ago is below it. Only then come the
/// descriptors that the system lists above, so none is asked about twice.
pub fn find(dev: u64, ino: u64) -> Result<c_int, Errno> {
    // 32-bit PHP: in its `int`, the upper half of the kernel's 32-bit inodes are negative numbers.
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

/// Goes through the open descriptors. Other threads may open and close some meanwhile, and without
/// a list from the system closed ones are returned too: callers ask the kernel again.
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

    /// A limit can be a thousand million with three descriptors open, so a walk ends at the number
    /// below. If no descriptor is free, the limit is the number of open descriptors, or it was
    /// lowered later and means nothing: so the larger of the two is used.
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
                // A security policy: it could be opened, but not read.
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
        /// Small, because a signal handler's stack may have 8192 bytes (SIGSTKSZ).
        buffer: [u8; 2048],
        /// The part of `buffer` that was read and not yet returned.
        unread: std::ops::Range<usize>,
    }

    /// Not /proc/self/fd: a thread may have a descriptor table of its own, and that of the process is
    /// empty once its main thread has ended.
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
