//! The queue of the exporters.

#[path = "../../../src/delivery/queue_stats.rs"]
mod queue_stats;
#[path = "../../../src/delivery/spool_stats.rs"]
mod spool_stats;
mod sync;

pub(super) use queue_stats::{Admission, Importance, QueueStats};

/// Creates a queue for a number of items and of bytes.
pub(super) fn queue(items: usize, bytes: usize) -> QueueStats {
    let queue = QueueStats::new();
    queue.set_capacity(items, bytes);
    // Each field is used once, because the atomics are created by their first use, which is to be in the first thread.
    queue.leave_queue(0, 0);
    queue.finish_accepted(0, 0);
    queue.finish_failed(0);
    queue.stop_awaiting();
    let _ = (queue.queued(), queue.lost());
    queue
}
