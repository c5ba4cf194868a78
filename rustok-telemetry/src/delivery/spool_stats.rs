//! Counters of a spool: items that wait on disk, and those that it dropped.

#[cfg(feature = "spool")]
use std::sync::atomic::Ordering::Release;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed},
};

/// Counters of the spool of one signal.
#[derive(Debug, Default)]
pub(crate) struct SpoolStats {
    /// Items and bytes on disk, with those that are being exported from there.
    pub(crate) items: AtomicU64,
    pub(crate) bytes: AtomicU64,
    dropped: [AtomicU64; 3],
    /// Files that could not be read, or were no files of a spool.
    pub(crate) set_aside: AtomicU64,
    /// Files whose writing the end of a process cut off.
    pub(crate) cut_off: AtomicU64,
    /// Batches that could not be written.
    pub(crate) write_failures: AtomicU64,
}

/// Why a spool dropped items.
#[cfg(feature = "spool")]
#[derive(Debug, Clone, Copy)]
pub(crate) enum SpoolDrop {
    /// The limit of bytes was reached.
    Full,
    /// They were older than the limit.
    Expired,
    /// Their file could not be read.
    Corrupt,
}

impl SpoolStats {
    /// Dropped items, by reason.
    pub(super) fn dropped(&self) -> [(&'static str, u64); 3] {
        let [full, expired, corrupt] = &self.dropped;
        [
            ("spool_full", full.load(Relaxed)),
            ("spool_expired", expired.load(Relaxed)),
            ("spool_corrupt", corrupt.load(Relaxed)),
        ]
    }

    /// Items on disk.
    pub(crate) fn items(&self) -> u64 {
        self.items.load(Acquire)
    }
}

#[cfg(feature = "spool")]
impl SpoolStats {
    /// Adds a file with these items.
    pub(crate) fn add(&self, items: usize, bytes: u64) {
        self.items.fetch_add(items as u64, Release);
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// Removes a file with these items, which have been exported or dropped.
    pub(crate) fn remove(&self, items: usize, bytes: u64) {
        self.items.fetch_sub(items as u64, Release);
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn drop_items(&self, items: usize, reason: SpoolDrop) {
        self.dropped[reason as usize].fetch_add(items as u64, Relaxed);
    }
}
