//! The queue in front of an exporter: items that wait, are being exported, were exported or dropped.

use std::sync::OnceLock;

use super::{
    spool_stats::SpoolStats,
    sync::{
        AtomicBool, AtomicU64, AtomicUsize,
        Ordering::{Relaxed, SeqCst},
        fence,
    },
};

/// Counters of one queue of spans or log records.
#[derive(Debug)]
pub(crate) struct QueueStats {
    capacity: AtomicUsize,
    byte_limit: AtomicUsize,
    /// Encoded size of the items that wait.
    bytes: AtomicUsize,
    /// Items that ever entered the queue.
    entered: AtomicU64,
    /// Items that the exporter took out of the queue.
    left: AtomicU64,
    exported: AtomicU64,
    failed: AtomicU64,
    /// Items that the receiver rejected although it accepted the request.
    rejected: AtomicU64,
    queue_full: AtomicU64,
    /// Whether the exporting thread waits for a full batch.
    awaits_batch: AtomicBool,
    /// Unset without a spool.
    spool: OnceLock<SpoolStats>,
}

/// An eighth of the queue is for these items alone.
const RESERVED: usize = 8;

/// How an item is treated when the queue is nearly full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Importance {
    Ordinary,
    /// An error, a warning, or slow: it may use the reserved part.
    High,
}

/// Whether an item may enter the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Queued,
    Dropped,
}

impl QueueStats {
    pub(crate) const fn new() -> Self {
        Self {
            capacity: AtomicUsize::new(0),
            byte_limit: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            entered: AtomicU64::new(0),
            left: AtomicU64::new(0),
            exported: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            queue_full: AtomicU64::new(0),
            awaits_batch: AtomicBool::new(false),
            spool: OnceLock::new(),
        }
    }

    pub(crate) fn set_capacity(&self, items: usize, bytes: usize) {
        self.capacity.store(items, Relaxed);
        self.byte_limit.store(bytes, Relaxed);
    }

    /// Most items that the queue holds.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity.load(Relaxed)
    }

    /// Items that wait for export.
    pub(crate) fn queued(&self) -> u64 {
        let left = self.left.load(Relaxed);
        self.entered().saturating_sub(left)
    }

    /// Items that are being exported. Those in a spool are not among them.
    pub(crate) fn exporting(&self) -> u64 {
        let finished = self.finished();
        let left = self.left.load(Relaxed);
        left.saturating_sub(finished + self.spooled())
    }

    pub(crate) fn entered(&self) -> u64 {
        self.entered.load(Relaxed)
    }

    /// Items that were exported, whose export failed, or that the spool dropped.
    pub(crate) fn finished(&self) -> u64 {
        let dropped = self.spool().map_or(0, |spool| {
            spool.dropped().iter().map(|(_, items)| items).sum()
        });
        self.exported() + self.failed() + dropped
    }

    /// The counters of the spool, if there is one.
    pub(crate) fn spool(&self) -> Option<&SpoolStats> {
        self.spool.get()
    }

    /// Items that wait on disk.
    pub(crate) fn spooled(&self) -> u64 {
        self.spool().map_or(0, SpoolStats::items)
    }

    /// Whether as many items are finished as had entered at some moment, or the queue is empty: an item that finds the
    /// queue full counts as entered for a moment.
    pub(crate) fn has_finished(&self, entered: u64) -> bool {
        let finished = self.finished();
        finished >= entered || finished >= self.entered()
    }

    /// Items whose export failed, or that the receiver rejected.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Relaxed) + self.rejected.load(Relaxed)
    }

    pub(crate) fn exported(&self) -> u64 {
        self.exported.load(Relaxed)
    }

    /// Dropped items, by reason.
    pub(crate) fn lost(&self) -> Vec<(&'static str, u64)> {
        let mut lost = vec![
            ("export_failed", self.failed.load(Relaxed)),
            ("queue_full", self.queue_full.load(Relaxed)),
            ("rejected", self.rejected.load(Relaxed)),
        ];
        lost.extend(self.spool().into_iter().flat_map(SpoolStats::dropped));
        lost
    }

    /// Whether the queue has no place for an item, which then counts as dropped. While a queue overflows, this spares
    /// creating the item, and writes to the counters of a queue that nothing enters.
    pub(crate) fn drop_if_full(&self, importance: Importance) -> bool {
        let is_full = self.queued() >= usable(self.capacity(), importance) as u64;
        if is_full {
            self.queue_full.fetch_add(1, Relaxed);
        }
        is_full
    }

    /// Takes a place in the queue for an item, if there is one.
    pub(crate) fn enter_queue(&self, importance: Importance) -> Admission {
        if self.drop_if_full(importance) {
            return Admission::Dropped;
        }
        let left = self.left.load(Relaxed);
        let before = self.entered.fetch_add(1, Relaxed);
        let limit = usable(self.capacity(), importance);
        if before.saturating_sub(left) < limit as u64 {
            return Admission::Queued;
        }
        self.drop_entered();
        Admission::Dropped
    }

    /// Adds the bytes of an item that has a place. If they do not fit, the item is counted as dropped.
    pub(crate) fn add_bytes(&self, bytes: usize, importance: Importance) -> Admission {
        let before = self.bytes.fetch_add(bytes, Relaxed);
        let limit = usable(self.byte_limit.load(Relaxed), importance);
        if before + bytes <= limit {
            return Admission::Queued;
        }
        self.bytes.fetch_sub(bytes, Relaxed);
        self.drop_entered();
        Admission::Dropped
    }

    /// Items of the part that is reserved for important ones.
    pub(crate) fn reserved(&self) -> usize {
        self.capacity() / RESERVED
    }

    /// Whether three quarters of the queue are full.
    pub(crate) fn is_nearly_full(&self) -> bool {
        let three_quarters = |limit: usize| limit - limit / 4;
        self.queued() > three_quarters(self.capacity()) as u64
            || self.bytes.load(Relaxed) > three_quarters(self.byte_limit.load(Relaxed))
    }

    /// Drops an item that waits.
    pub(crate) fn drop_queued(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
        self.drop_entered();
    }

    /// Returns whether a batch of this many items waits. If not, the thread that completes one gets `true` from
    /// [`completes_batch`](Self::completes_batch), until [`stop_awaiting`](Self::stop_awaiting).
    pub(crate) fn await_batch(&self, items: u64) -> bool {
        self.awaits_batch.store(true, Relaxed);
        // Of the two threads, at least one sees what the other wrote before its fence.
        fence(SeqCst);
        self.queued() >= items
    }

    pub(crate) fn stop_awaiting(&self) {
        self.awaits_batch.store(false, Relaxed);
    }

    /// Whether the item that this thread added completes a batch that is awaited. Then this thread wakes the exporting
    /// thread.
    pub(crate) fn completes_batch(&self, items: u64) -> bool {
        if self.queued() < items {
            return false;
        }
        fence(SeqCst);
        self.awaits_batch.swap(false, Relaxed)
    }

    fn drop_entered(&self) {
        self.entered.fetch_sub(1, Relaxed);
        self.queue_full.fetch_add(1, Relaxed);
    }

    /// Frees the places of items that have been taken out of the queue.
    pub(crate) fn leave_queue(&self, items: usize, bytes: usize) {
        self.left.fetch_add(items as u64, Relaxed);
        self.bytes.fetch_sub(bytes, Relaxed);
    }

    /// Counts the items that are being exported as dropped, except for those that wait to be sent again.
    pub(crate) fn drop_exporting(&self, waiting_again: u64) {
        let lost = self.exporting().saturating_sub(waiting_again);
        self.failed.fetch_add(lost, Relaxed);
    }

    /// Counts the items of an accepted request, of which the receiver rejected some.
    pub(crate) fn finish_accepted(&self, items: usize, rejected: u64) {
        let rejected = rejected.min(items as u64);
        self.rejected.fetch_add(rejected, Relaxed);
        self.exported.fetch_add(items as u64 - rejected, Relaxed);
    }

    /// Counts items whose export failed.
    pub(crate) fn finish_failed(&self, items: usize) {
        self.failed.fetch_add(items as u64, Relaxed);
    }
}

#[cfg(feature = "spool")]
impl QueueStats {
    /// Returns the counters of the spool, from now on with those of the queue.
    pub(crate) fn start_spool(&self) -> &SpoolStats {
        self.spool.get_or_init(SpoolStats::default)
    }

    /// Adds items of an earlier process, which are in the spool.
    pub(crate) fn adopt(&self, items: usize) {
        self.entered.fetch_add(items as u64, Relaxed);
        self.left.fetch_add(items as u64, Relaxed);
    }

    /// Whether as many items have left the queue as had entered at some moment, or the queue is empty.
    pub(crate) fn has_left(&self, entered: u64) -> bool {
        self.left.load(Relaxed) >= entered || self.queued() == 0
    }
}

/// Returns the part of a limit that an item may use.
fn usable(limit: usize, importance: Importance) -> usize {
    match importance {
        Importance::High => limit,
        Importance::Ordinary => limit - limit / RESERVED,
    }
}
