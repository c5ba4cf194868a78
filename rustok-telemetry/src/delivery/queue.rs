//! A queue in front of an exporter: what waits in it, is on its way, was exported or lost.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The account of the items, spans or log records, of one queue.
#[derive(Debug)]
pub(crate) struct QueueAccount {
    capacity: AtomicUsize,
    queued: AtomicUsize,
    exporting: AtomicUsize,
    exported: AtomicU64,
    failed: AtomicU64,
    queue_full: AtomicU64,
}

/// Whether an item may enter the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Queued,
    Dropped,
}

impl QueueAccount {
    pub(super) const fn new() -> Self {
        Self {
            capacity: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            exporting: AtomicUsize::new(0),
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
    pub(crate) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Items that are being exported.
    pub(crate) fn exporting(&self) -> usize {
        self.exporting.load(Ordering::Relaxed)
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
    pub(crate) fn enter_queue(&self) -> Verdict {
        if self.queued.fetch_add(1, Ordering::Relaxed) < self.capacity() {
            return Verdict::Queued;
        }
        self.queued.fetch_sub(1, Ordering::Relaxed);
        self.queue_full.fetch_add(1, Ordering::Relaxed);
        Verdict::Dropped
    }

    /// The SDK has taken items out of the queue, so there is room for others.
    pub(super) fn leave_queue(&self, items: usize) {
        self.exporting.fetch_add(items, Ordering::Relaxed);
        self.queued.fetch_sub(items, Ordering::Relaxed);
    }

    pub(super) fn settle(&self, items: usize, exported: bool) {
        let total = if exported {
            &self.exported
        } else {
            &self.failed
        };
        total.fetch_add(items as u64, Ordering::Relaxed);
        self.exporting.fetch_sub(items, Ordering::Relaxed);
    }
}
