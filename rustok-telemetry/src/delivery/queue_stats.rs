//! A queue in front of an exporter: what waits in it, is on its way, was exported or lost.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The account of the items, spans or log records, of one queue.
#[derive(Debug)]
pub(crate) struct QueueStats {
    capacity: AtomicUsize,
    /// Items that ever entered the queue, and those of them that left it.
    entered: AtomicU64,
    left: AtomicU64,
    exported: AtomicU64,
    failed: AtomicU64,
    queue_full: AtomicU64,
}

/// Whether an item may enter the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Queued,
    Dropped,
}

impl QueueStats {
    pub(super) const fn new() -> Self {
        Self {
            capacity: AtomicUsize::new(0),
            entered: AtomicU64::new(0),
            left: AtomicU64::new(0),
            exported: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            queue_full: AtomicU64::new(0),
        }
    }

    pub(crate) fn set_capacity(&self, items: usize) {
        self.capacity.store(items, Ordering::Relaxed);
    }

    /// Most items that the queue holds.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Items that wait for export.
    pub(crate) fn queued(&self) -> u64 {
        let left = self.left.load(Ordering::Relaxed);
        self.entered().saturating_sub(left)
    }

    /// Items that are being exported.
    pub(crate) fn exporting(&self) -> u64 {
        let settled = self.settled();
        self.left.load(Ordering::Relaxed).saturating_sub(settled)
    }

    /// Items that ever entered the queue.
    pub(crate) fn entered(&self) -> u64 {
        self.entered.load(Ordering::Relaxed)
    }

    /// Items that were exported, or whose export failed.
    pub(crate) fn settled(&self) -> u64 {
        self.exported() + self.failed()
    }

    /// Whether as many are settled as had entered at some moment, or nothing waits any more: an item that finds the
    /// queue full counts as entered for a moment.
    pub(crate) fn is_settled(&self, entered: u64) -> bool {
        let settled = self.settled();
        settled >= entered || settled >= self.entered()
    }

    /// Items whose export failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn exported(&self) -> u64 {
        self.exported.load(Ordering::Relaxed)
    }

    /// Items that were lost, by reason.
    pub(crate) fn lost(&self) -> [(&'static str, u64); 2] {
        [
            ("export_failed", &self.failed),
            ("queue_full", &self.queue_full),
        ]
        .map(|(reason, items)| (reason, items.load(Ordering::Relaxed)))
    }

    /// Takes a place in the queue for an item, if there is one.
    pub(crate) fn enter_queue(&self) -> Admission {
        let left = self.left.load(Ordering::Relaxed);
        let before = self.entered.fetch_add(1, Ordering::Relaxed);
        if before.saturating_sub(left) < self.capacity() as u64 {
            return Admission::Queued;
        }
        self.entered.fetch_sub(1, Ordering::Relaxed);
        self.queue_full.fetch_add(1, Ordering::Relaxed);
        Admission::Dropped
    }

    /// The SDK has taken items out of the queue, so there is room for others.
    pub(crate) fn leave_queue(&self, items: usize) {
        self.left.fetch_add(items as u64, Ordering::Relaxed);
    }

    pub(crate) fn settle(&self, items: usize, exported: bool) {
        let total = if exported {
            &self.exported
        } else {
            &self.failed
        };
        total.fetch_add(items as u64, Ordering::Relaxed);
    }
}
