//! The health of telemetry itself: exports, failures, dropped records and folded labels.
//!
//! `http::health_routes` and `http::HealthRoutes` (feature `axum`) serve it at `GET /api/_health/telemetry`.
//!
//! ```
//! let health = rustok_telemetry::health();
//! assert_eq!(health.stage, rustok_telemetry::Stage::NotStarted);
//! assert_eq!(health.to_json()["signals"]["traces"]["failing"], false);
//! ```

mod json;
mod settings;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use self::settings::SETTINGS;
pub(crate) use self::settings::remember;
pub use crate::delivery::{ExportFailure, PartialRejection};
use crate::{
    delivery::{DELIVERY, QueueStats, SignalStats, SpoolStats, threads},
    lifecycle::{self, LostRecords, Stage},
    metrics::{callbacks, registered::ALL},
};

/// Returns the health of telemetry now. Takes no lock that a recording path waits for.
///
/// ```
/// rustok_telemetry::metrics::record_event_published("TooEarly", "acme");
/// let health = rustok_telemetry::health();
/// assert_eq!(health.records_lost.before_init, 1);
/// ```
pub fn health() -> Health {
    let settings = SETTINGS.get().cloned().unwrap_or_default();
    let spans = queue(&DELIVERY.spans, &DELIVERY.spans.lost());
    let records = queue(&DELIVERY.log_records, &DELIVERY.lost_log_records());
    Health {
        stage: lifecycle::stage(),
        signals: vec![
            signal(&DELIVERY.traces, settings.traces, Some(spans)),
            signal(&DELIVERY.metrics, settings.metrics, None),
            signal(&DELIVERY.logs, settings.logs, Some(records)),
        ],
        records_lost: lifecycle::lost_records(),
        labels_folded: folded(),
        hanging_callbacks: hanging(),
        thread_panics: threads::ALL
            .map(|thread| (thread.name, thread.panics()))
            .to_vec(),
        diagnostics: settings.diagnostics,
    }
}

/// The health of telemetry.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// The stage of telemetry.
    pub stage: Stage,
    /// Traces, metrics and logs, in this order.
    pub signals: Vec<SignalHealth>,
    /// Dropped metric records.
    pub records_lost: LostRecords,
    /// Labels with values folded to `other`.
    pub labels_folded: Vec<FoldedLabel>,
    /// Metric callbacks that have not returned. Collections continue without them.
    pub hanging_callbacks: Vec<HangingCallback>,
    /// Panics on the threads of telemetry, by the name of the thread, which continues.
    pub thread_panics: Vec<(&'static str, u64)>,
    /// Errors in the configuration that were tolerated at the start; see
    /// [`Builder::strict`](crate::Builder::strict).
    pub diagnostics: Vec<String>,
}

/// The export of one signal.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SignalHealth {
    /// `traces`, `metrics` or `logs`.
    pub name: &'static str,
    /// The OTLP endpoint, with secrets masked; `None` if the signal is not exported by OTLP.
    pub endpoint: Option<String>,
    /// Exports that succeeded.
    pub successes: u64,
    /// Exports that failed, after all retries.
    pub failures: u64,
    /// Whether the last export failed. Exports that the end of a shutdown cut off do not change it.
    pub failing: bool,
    /// Time of the last successful export.
    pub last_success: Option<SystemTime>,
    /// The last failed export, except for those that the end of a shutdown cut off.
    pub last_failure: Option<ExportFailure>,
    /// The last items that a receiver rejected.
    pub last_rejection: Option<PartialRejection>,
    /// The queue in front of the exporter. Metrics have none: each export has the current totals.
    pub queue: Option<QueueHealth>,
}

/// The queue of spans or log records in front of an exporter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueHealth {
    /// Items that wait.
    pub length: u64,
    /// Most items that may wait; further ones are dropped. 0 without an exporter.
    pub capacity: u64,
    /// Items that are being exported.
    pub exporting: u64,
    /// Items that were exported since the process started.
    pub exported: u64,
    /// Items that were dropped since the process started, by reason.
    pub lost: Vec<(&'static str, u64)>,
    /// What is on disk; `None` without a spool.
    pub spool: Option<SpoolHealth>,
}

/// The spool of spans or log records on disk: the Cargo feature `spool`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolHealth {
    /// Items on disk, also those of earlier processes. They are not among the [exporting](QueueHealth::exporting) ones.
    pub items: u64,
    /// Bytes on disk, in whole blocks of 4 KiB.
    pub bytes: u64,
    /// Files that were set aside, because they could not be read or were no files of a spool.
    pub files_set_aside: u64,
    /// Files whose writing the end of an earlier process cut off. Their items are lost, and no further counter has them.
    pub files_cut_off: u64,
    /// Requests that could not be written. They wait in memory.
    pub write_failures: u64,
}

/// A label with values folded to `other`, because its budget or the metric's limit was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoldedLabel {
    /// The metric.
    pub metric: &'static str,
    /// The label.
    pub label: &'static str,
    /// Records whose value was folded.
    pub records: u64,
}

/// A metric callback that does not return.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HangingCallback {
    /// The observable metric, or the function that registered the callback and where: `before_collection at
    /// src/main.rs:12:5`.
    pub callback: String,
    /// Time since the callback began.
    pub running_for: Duration,
}

fn signal(
    stats: &SignalStats,
    endpoint: Option<String>,
    queue: Option<QueueHealth>,
) -> SignalHealth {
    // The counters are read first, because each is incremented last.
    let [successes, failures] =
        [&stats.succeeded, &stats.failed].map(|count| count.load(Ordering::Acquire));
    let last = stats.last();
    SignalHealth {
        name: stats.name,
        endpoint,
        successes,
        failures,
        failing: stats.is_failing(),
        last_success: last.success,
        last_failure: last.failure,
        last_rejection: last.rejection,
        queue,
    }
}

fn queue(stats: &QueueStats, lost: &[(&'static str, u64)]) -> QueueHealth {
    QueueHealth {
        length: stats.queued(),
        capacity: stats.capacity() as u64,
        exporting: stats.exporting(),
        exported: stats.exported(),
        lost: lost.to_vec(),
        spool: stats.spool().map(spool),
    }
}

fn spool(stats: &SpoolStats) -> SpoolHealth {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    SpoolHealth {
        items: stats.items(),
        bytes: read(&stats.bytes),
        files_set_aside: read(&stats.set_aside),
        files_cut_off: read(&stats.cut_off),
        write_failures: read(&stats.write_failures),
    }
}

fn hanging() -> Vec<HangingCallback> {
    let mut all = Vec::new();
    callbacks::visit_hanging(&mut |callback, running_for| {
        let callback = callback.to_owned();
        all.push(HangingCallback {
            callback,
            running_for,
        });
    });
    all
}

fn folded() -> Vec<FoldedLabel> {
    let mut folded = Vec::new();
    for registered in ALL {
        let metric = registered.declaration().name;
        registered.visit_folds(&mut |label, records| {
            if records > 0 {
                folded.push(FoldedLabel {
                    metric,
                    label,
                    records,
                });
            }
        });
    }
    folded.sort_by_key(|folded| (folded.metric, folded.label));
    folded
}
