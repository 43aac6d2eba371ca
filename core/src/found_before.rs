//! A table of guesses for `ka_find`: the descriptor at which each inode was found before.
//!
//! Each guess is checked with the kernel before it is used, so threads may overwrite them freely.

use std::sync::atomic::{AtomicU32, Ordering};

use libc::c_int;

/// The entries of inodes with the same remainder; the one that was looked for last comes first.
type Bucket = [AtomicU32; 16];

/// An entry is a tag and descriptor + 1; 0 is an empty entry. The table has 64 KiB, and the system
/// gives memory only to those of its pages that are used.
static BUCKETS: [Bucket; 1024] = [const { [const { AtomicU32::new(0) }; 16] }; 1024];

/// The lower bits of an entry are the descriptor: Linux does not use larger numbers unless an
/// administrator raises `fs.nr_open`. The other bits are the tag.
const DESCRIPTOR_BITS: u32 = 20;
const DESCRIPTOR: u32 = (1 << DESCRIPTOR_BITS) - 1;

/// The bucket of an inode, and its tag: as many bits of the quotient as fit into an entry.
#[allow(clippy::cast_possible_truncation)] // the remainder is below 1024; the tag is cut on purpose
fn place(ino: u64) -> (&'static Bucket, u32) {
    let length = BUCKETS.len() as u64;
    (&BUCKETS[(ino % length) as usize], (ino / length) as u32 & (u32::MAX >> DESCRIPTOR_BITS))
}

/// Where the socket with this inode was found, or one with the same bucket and tag.
pub(crate) fn descriptor(ino: u64) -> Option<c_int> {
    let (bucket, tag) = place(ino);
    let mut entries = bucket.iter().map(|entry| entry.load(Ordering::Relaxed));
    let entry = entries.find(|&entry| entry != 0 && entry >> DESCRIPTOR_BITS == tag)?;
    c_int::try_from((entry & DESCRIPTOR) - 1).ok()
}

/// Puts it first, and moves the others one place down; the last entry is dropped.
pub(crate) fn remember(ino: u64, fd: c_int) {
    let number = fd.unsigned_abs() + 1;
    if number > DESCRIPTOR {
        return;
    }
    let (bucket, tag) = place(ino);
    let mut moving = tag << DESCRIPTOR_BITS | number;
    for entry in bucket {
        let was = entry.load(Ordering::Relaxed);
        entry.store(moving, Ordering::Relaxed);
        if was == 0 || was >> DESCRIPTOR_BITS == tag {
            break;
        }
        moving = was;
    }
}

#[cfg(test)]
mod tests {
    use super::{DESCRIPTOR, descriptor, remember};

    /// Inodes of one bucket, with tags of their own.
    fn alike(nth: u64) -> u64 {
        5 + nth * super::BUCKETS.len() as u64
    }

    #[test]
    fn a_bucket_keeps_the_sixteen_that_were_asked_for_last() {
        for nth in 0..16 {
            remember(alike(nth), i32::try_from(nth).unwrap());
        }
        remember(alike(5), 100); // asked for again, and it has moved
        assert_eq!(descriptor(alike(5)), Some(100));
        assert_eq!(descriptor(alike(0)), Some(0), "no other entry was dropped");
        remember(alike(16), 16);
        assert_eq!(descriptor(alike(0)), None, "asked for the longest ago");
        for nth in (1..=16).filter(|&nth| nth != 5) {
            assert_eq!(descriptor(alike(nth)), i32::try_from(nth).ok());
        }
        assert_eq!(descriptor(alike(17)), None);
        assert_eq!(descriptor(alike(0) + 1), None, "another bucket");
    }

    #[test]
    fn a_number_without_room_is_not_remembered() {
        let last = i32::try_from(DESCRIPTOR - 1).unwrap();
        remember(7, last);
        assert_eq!(descriptor(7), Some(last));
        for fd in [last + 1, i32::MAX] {
            remember(8, fd);
            assert_eq!(descriptor(8), None);
        }
    }
}
