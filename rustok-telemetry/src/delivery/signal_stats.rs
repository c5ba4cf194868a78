//! The account: exports by signal, and what waits in front of them.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{
    announce::{announce_failure, announce_recovery, announce_too_large},
    outcome::{ExportOutcome, RejectedItems},
    queue_stats::QueueStats,
};
use crate::lifecycle::{self, Stage};

/// The account of this process.
pub(crate) static DELIVERY: Delivery = Delivery {
    traces: SignalStats::new("traces"),
    metrics: SignalStats::new("metrics"),
    logs: SignalStats::new("logs"),
    open_spans: AtomicUsize::new(0),
    spans: QueueStats::new(),
    log_records: QueueStats::new(),
    late_log_records: AtomicU64::new(0),
    metrics_closed: Event::new(),
    announced: AtomicBool::new(false),
};

/// Accounts of all signals.
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
    /// Log records that came after their queue had been closed.
    pub(crate) late_log_records: AtomicU64,
    /// The last export of metrics has been tried.
    pub(crate) metrics_closed: Event,
    /// Failing exports were logged, and not yet that they succeed again.
    announced: AtomicBool,
}

/// Something that happens once, and can be waited for.
#[derive(Debug)]
pub(crate) struct Event {
    happened: Mutex<bool>,
    changed: Condvar,
}

impl Event {
    const fn new() -> Self {
        Self {
            happened: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn set(&self) {
        *self.happened.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits for it; tells whether it happened in time.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(happened, limit, |happened| !*happened);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Exports of one signal.
#[derive(Debug)]
pub(crate) struct SignalStats {
    pub(crate) name: &'static str,
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Whether the last export failed that was not cut off by the end of a shutdown.
    failing: AtomicBool,
    /// Items that are too large were logged.
    announced_too_large: AtomicBool,
    last: Mutex<LastExports>,
}

/// The latest exports of one signal, by what became of them.
#[derive(Debug, Clone)]
pub(crate) struct LastExports {
    pub(crate) success: Option<SystemTime>,
    pub(crate) failure: Option<Failure>,
    /// What a receiver took only in part.
    pub(crate) rejection: Option<RejectedItems>,
}

/// An export that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) at: SystemTime,
    pub(crate) reason: String,
}

impl SignalStats {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            announced_too_large: AtomicBool::new(false),
            last: Mutex::new(LastExports {
                success: None,
                failure: None,
                rejection: None,
            }),
        }
    }

    /// The latest exports.
    pub(crate) fn last(&self) -> LastExports {
        self.lock().clone()
    }

    /// Whether the last export failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Why the last export failed, if it did.
    pub(crate) fn error(&self) -> Option<String> {
        let last = self.lock();
        let failure = last.failure.as_ref().filter(|_| self.is_failing());
        failure.map(|failure| failure.reason.clone())
    }

    pub(crate) fn settle(&self, endpoint: &str, outcome: ExportOutcome) {
        let error = outcome.error();
        let mut last = self.lock();
        last.rejection = outcome.rejection.or(last.rejection.take());
        let Some(error) = error else {
            last.success = Some(SystemTime::now());
            drop(last);
            self.succeeded.fetch_add(1, Ordering::Relaxed);
            self.failing.store(false, Ordering::Relaxed);
            if !DELIVERY.is_failing() && DELIVERY.announced.swap(false, Ordering::Relaxed) {
                announce_recovery(endpoint);
            }
            return;
        };
        drop(last);
        self.failed.fetch_add(1, Ordering::Relaxed);
        // What the end of the shutdown cuts off says nothing about the receiver.
        if lifecycle::stage() == Stage::ShutDown {
            return;
        }
        self.lock().failure = Some(Failure {
            at: SystemTime::now(),
            reason: error,
        });
        self.failing.store(true, Ordering::Relaxed);
        // While telemetry stops, its report tells.
        if lifecycle::stage() != Stage::Running {
            return;
        }
        if let Some(failure) = outcome.failure
            && !DELIVERY.announced.swap(true, Ordering::Relaxed)
        {
            announce_failure(self.name, endpoint, &failure);
        }
        if let Some(too_large) = outcome.too_large
            && !self.announced_too_large.swap(true, Ordering::Relaxed)
        {
            announce_too_large(self.name, &too_large);
        }
    }

    fn lock(&self) -> MutexGuard<'_, LastExports> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Delivery {
    /// All signals.
    pub(crate) fn signals(&self) -> [&SignalStats; 3] {
        [&self.traces, &self.metrics, &self.logs]
    }

    /// Log records that were lost, by reason.
    pub(crate) fn lost_log_records(&self) -> [(&'static str, u64); 3] {
        let [failed, full] = self.log_records.lost();
        let late = self.late_log_records.load(Ordering::Relaxed);
        [failed, full, ("after_shutdown", late)]
    }

    fn is_failing(&self) -> bool {
        self.signals().iter().any(|signal| signal.is_failing())
    }
}
