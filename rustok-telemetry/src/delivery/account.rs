//! The account: exports by signal, and what waits in front of them.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use super::{
    announce::{announce_failure, announce_recovery},
    detail::{self, Rejection},
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
    /// Whether the last export failed that was not cut off by the end of a shutdown.
    failing: AtomicBool,
    last: Mutex<LastExports>,
}

/// The latest exports of one signal, by what became of them.
#[derive(Debug, Clone)]
pub(crate) struct LastExports {
    pub(crate) success: Option<SystemTime>,
    pub(crate) failure: Option<Failure>,
    /// What a receiver took only in part.
    pub(crate) rejection: Option<Rejection>,
}

/// An export that failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) at: SystemTime,
    pub(crate) reason: String,
}

impl SignalAccount {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failing: AtomicBool::new(false),
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

    pub(super) fn settle(&self, endpoint: &str, result: Result<(), String>) {
        let rejection = detail::take();
        match result {
            Ok(()) => {
                self.succeeded.fetch_add(1, Ordering::Relaxed);
                let mut last = self.lock();
                last.success = Some(SystemTime::now());
                last.rejection = rejection.or(last.rejection.take());
                drop(last);
                if self.failing.swap(false, Ordering::Relaxed) && !DELIVERY.is_failing() {
                    announce_recovery(endpoint);
                }
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                // What the end of the shutdown cuts off says nothing about the receiver.
                if lifecycle::stage() == Stage::ShutDown {
                    return;
                }
                let error = reason(&error);
                let first = !DELIVERY.is_failing();
                self.lock().failure = Some(Failure {
                    at: SystemTime::now(),
                    reason: error.clone(),
                });
                self.failing.store(true, Ordering::Relaxed);
                // While telemetry stops, its report tells.
                if first && lifecycle::stage() == Stage::Running {
                    announce_failure(self.name, endpoint, &error);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, LastExports> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.signals().iter().any(|signal| signal.is_failing())
    }
}

/// The error without what the SDK puts before every one, and with what it leaves out.
fn reason(error: &str) -> String {
    let error = error.strip_prefix("Operation failed: ").unwrap_or(error);
    error.to_owned()
}
