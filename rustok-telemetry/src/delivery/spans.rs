//! Sampled spans: open, waiting, on their way, exported or lost.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Sampled spans, from their start to their export.
#[derive(Debug)]
pub(crate) struct SpanAccount {
    capacity: AtomicUsize,
    open: AtomicUsize,
    queued: AtomicUsize,
    exporting: AtomicUsize,
    exported: AtomicU64,
    failed: AtomicU64,
    queue_full: AtomicU64,
}

/// Whether a span may enter the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpanVerdict {
    Queued,
    Dropped,
}

impl SpanAccount {
    pub(super) const fn new() -> Self {
        Self {
            capacity: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            queued: AtomicUsize::new(0),
            exporting: AtomicUsize::new(0),
            exported: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            queue_full: AtomicU64::new(0),
        }
    }

    pub(crate) fn set_capacity(&self, spans: usize) {
        self.capacity.store(spans, Ordering::Relaxed);
    }

    /// Most spans that the queue holds.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Spans that have not ended yet.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Spans that wait for export.
    pub(crate) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Spans that are being exported.
    pub(crate) fn exporting(&self) -> usize {
        self.exporting.load(Ordering::Relaxed)
    }

    pub(crate) fn exported(&self) -> u64 {
        self.exported.load(Ordering::Relaxed)
    }

    /// Spans that were lost, by reason.
    pub(crate) fn lost(&self) -> [(&'static str, u64); 2] {
        [
            ("export_failed", self.failed.load(Ordering::Relaxed)),
            ("queue_full", self.queue_full.load(Ordering::Relaxed)),
        ]
    }

    pub(crate) fn start(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// A span has ended: takes a place in the queue for it, if there is one.
    pub(crate) fn enter_queue(&self) -> SpanVerdict {
        self.open.fetch_sub(1, Ordering::Relaxed);
        if self.queued.fetch_add(1, Ordering::Relaxed) < self.capacity() {
            return SpanVerdict::Queued;
        }
        self.queued.fetch_sub(1, Ordering::Relaxed);
        self.queue_full.fetch_add(1, Ordering::Relaxed);
        SpanVerdict::Dropped
    }

    /// The SDK has taken spans out of the queue, so there is room for others.
    pub(super) fn leave_queue(&self, spans: usize) {
        self.exporting.fetch_add(spans, Ordering::Relaxed);
        self.queued.fetch_sub(spans, Ordering::Relaxed);
    }

    pub(super) fn settle(&self, spans: usize, exported: bool) {
        let total = if exported {
            &self.exported
        } else {
            &self.failed
        };
        total.fetch_add(spans as u64, Ordering::Relaxed);
        self.exporting.fetch_sub(spans, Ordering::Relaxed);
    }
}
