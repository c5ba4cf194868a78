//! The account: exports by signal, and what waits in front of them.

use std::{
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    announce::{announce_failure, announce_recovery},
    queue::QueueAccount,
};
use crate::lifecycle::{self, Stage};

/// The account of this process.
pub(crate) static DELIVERY: Delivery = Delivery {
    traces: SignalAccount::new("traces"),
    metrics: SignalAccount::new("metrics"),
    logs: SignalAccount::new("logs"),
    open_spans: AtomicUsize::new(0),
    spans: QueueAccount::new(),
    log_records: QueueAccount::new(),
    late_log_records: AtomicU64::new(0),
    metrics_closed: Event::new(),
};

/// Accounts of all signals.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) traces: SignalAccount,
    pub(crate) metrics: SignalAccount,
    pub(crate) logs: SignalAccount,
    /// Sampled spans that have not ended yet.
    pub(crate) open_spans: AtomicUsize,
    /// Sampled spans that have ended.
    pub(crate) spans: QueueAccount,
    pub(crate) log_records: QueueAccount,
    /// Log records that came after their queue had been closed.
    pub(crate) late_log_records: AtomicU64,
    /// The last export of metrics has been tried.
    pub(crate) metrics_closed: Event,
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

    pub(super) fn set(&self) {
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
pub(crate) struct SignalAccount {
    pub(crate) name: &'static str,
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Whether the last export failed.
    failing: AtomicBool,
    last_error: Mutex<Option<String>>,
}

impl SignalAccount {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            last_error: Mutex::new(None),
        }
    }

    /// Why the last export failed, if it did.
    pub(crate) fn error(&self) -> Option<String> {
        let error = self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.failing
            .load(Ordering::Relaxed)
            .then(|| error.clone())
            .flatten()
    }

    pub(super) fn settle(&self, endpoint: &str, result: Result<(), String>) {
        match result {
            Ok(()) => {
                self.succeeded.fetch_add(1, Ordering::Relaxed);
                if self.failing.swap(false, Ordering::Relaxed) && !DELIVERY.is_failing() {
                    announce_recovery(endpoint);
                }
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                let error = reason(&error);
                let first = !DELIVERY.is_failing();
                *self
                    .last_error
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                self.failing.store(true, Ordering::Relaxed);
                // While telemetry stops, its report tells.
                if first && lifecycle::stage() == Stage::Running {
                    announce_failure(self.name, endpoint, &error);
                }
            }
        }
    }
}

impl Delivery {
    /// All signals.
    pub(crate) fn signals(&self) -> [&SignalAccount; 3] {
        [&self.traces, &self.metrics, &self.logs]
    }

    /// Log records that were lost, by reason.
    pub(crate) fn lost_log_records(&self) -> [(&'static str, u64); 3] {
        let [failed, full] = self.log_records.lost();
        let late = self.late_log_records.load(Ordering::Relaxed);
        [failed, full, ("after_shutdown", late)]
    }

    fn is_failing(&self) -> bool {
        self.signals()
            .iter()
            .any(|signal| signal.failing.load(Ordering::Relaxed))
    }
}

/// The error without what the SDK puts before every one.
fn reason(error: &str) -> String {
    error
        .strip_prefix("Operation failed: ")
        .unwrap_or(error)
        .to_owned()
}
