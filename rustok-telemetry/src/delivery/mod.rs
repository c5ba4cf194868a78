//! Counters of exports: what was exported, failed, or was dropped because a queue was full.
//!
//! The exporters (`otlp/sender.rs`) record the outcome of each export (`outcome.rs`) in [`DELIVERY`]. The [self
//! metrics](crate::metrics::catalog::telemetry), [`health`](crate::health()) and the [shutdown
//! report](crate::ShutdownReport) read it.

mod last_failure;
mod outcome;
mod queue_stats;
mod signal_stats;
mod spool_stats;
mod sync;
pub(crate) mod threads;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

#[cfg(feature = "spool")]
pub(crate) use self::spool_stats::SpoolDrop;
pub(crate) use self::{
    last_failure::LastFailure,
    outcome::ExportOutcome,
    queue_stats::{Admission, Importance, QueueStats},
    signal_stats::SignalStats,
    spool_stats::SpoolStats,
};
pub use self::{outcome::PartialRejection, signal_stats::ExportFailure};

/// The export stats of this process.
pub(crate) static DELIVERY: Delivery = Delivery {
    traces: SignalStats::new("traces"),
    metrics: SignalStats::new("metrics"),
    logs: SignalStats::new("logs"),
    open_spans: AtomicUsize::new(0),
    spans: QueueStats::new(),
    log_records: QueueStats::new(),
    late_log_records: AtomicU64::new(0),
    failure_logged: AtomicBool::new(false),
};

#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) traces: SignalStats,
    pub(crate) metrics: SignalStats,
    pub(crate) logs: SignalStats,
    /// Sampled spans that have not ended yet.
    pub(crate) open_spans: AtomicUsize,
    /// Sampled spans that have ended.
    pub(crate) spans: QueueStats,
    pub(crate) log_records: QueueStats,
    /// Log records that were emitted after shutdown.
    pub(crate) late_log_records: AtomicU64,
    /// A failed export was logged, and no recovery since.
    failure_logged: AtomicBool,
}

impl Delivery {
    pub(crate) fn signals(&self) -> [&SignalStats; 3] {
        [&self.traces, &self.metrics, &self.logs]
    }

    /// Dropped log records, by reason.
    pub(crate) fn lost_log_records(&self) -> Vec<(&'static str, u64)> {
        let mut lost = self.log_records.lost();
        let late = self.late_log_records.load(Ordering::Relaxed);
        lost.push(("after_shutdown", late));
        lost
    }
}
