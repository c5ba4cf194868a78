//! How telemetry itself fares: what was sent, what was not and why, what was folded or lost.
//!
//! The same is served at `GET /api/_health/telemetry` by `http::health_routes` and
//! `http::HealthRoutes` (feature `axum`).
//!
//! ```
//! let health = rustok_telemetry::health();
//! assert_eq!(health.stage, rustok_telemetry::Stage::NotStarted);
//! assert_eq!(health.to_json()["signals"]["traces"]["failing"], false);
//! ```

mod json;
mod rfc3339;
mod settings;

use std::{sync::atomic::Ordering, time::SystemTime};

pub(crate) use self::settings::remember;
use crate::{
    delivery::{DELIVERY, QueueStats, SignalStats},
    lifecycle::{self, LostRecords, Stage},
    metrics::registered::ALL,
};

/// How telemetry fares now. Takes no lock that a recorder waits for.
///
/// ```
/// rustok_telemetry::metrics::record_event_published("TooEarly", "acme");
/// let health = rustok_telemetry::health();
/// assert_eq!(health.records_lost.before_init, 1);
/// ```
pub fn health() -> Health {
    let settings = settings::recall();
    let [traces, metrics, logs] = [&DELIVERY.traces, &DELIVERY.metrics, &DELIVERY.logs];
    let spans = queue(&DELIVERY.spans, DELIVERY.spans.lost().to_vec());
    let records = queue(&DELIVERY.log_records, DELIVERY.lost_log_records().to_vec());
    Health {
        stage: lifecycle::stage(),
        signals: vec![
            signal(
                traces,
                settings.and_then(|known| known.traces.clone()),
                Some(spans),
            ),
            signal(
                metrics,
                settings.and_then(|known| known.metrics.clone()),
                None,
            ),
            signal(
                logs,
                settings.and_then(|known| known.logs.clone()),
                Some(records),
            ),
        ],
        records_lost: lifecycle::lost_records(),
        labels_folded: folded(),
        diagnostics: settings
            .map(|known| known.diagnostics.clone())
            .unwrap_or_default(),
    }
}

/// How telemetry fares.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// The stage that telemetry is in.
    pub stage: Stage,
    /// Traces, metrics and logs, in this order.
    pub signals: Vec<SignalHealth>,
    /// Dropped metric records.
    pub records_lost: LostRecords,
    /// Labels of which values became `other`.
    pub labels_folded: Vec<FoldedLabel>,
    /// What is wrong in the configuration, and was tolerated at the start; see
    /// [`Builder::strict`](crate::Builder::strict).
    pub diagnostics: Vec<String>,
}

/// How the export of one signal fares.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SignalHealth {
    /// `traces`, `metrics` or `logs`.
    pub name: &'static str,
    /// Where it is sent, with secrets masked; `None` if it is not sent by OTLP.
    pub endpoint: Option<String>,
    /// Exports that succeeded.
    pub successes: u64,
    /// Exports that failed, after all retries.
    pub failures: u64,
    /// Whether the last export failed. What the end of a shutdown cut off does not change it.
    pub failing: bool,
    /// When an export last succeeded.
    pub last_success: Option<SystemTime>,
    /// The last export that failed, except for what the end of a shutdown cut off.
    pub last_failure: Option<ExportFailure>,
    /// What a receiver last took only in part.
    pub last_rejection: Option<PartialRejection>,
    /// What waits in front of the exporter. Metrics have no queue: the totals are sent again.
    pub queue: Option<QueueHealth>,
}

/// An export that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportFailure {
    /// When.
    pub at: SystemTime,
    /// Why. Holds no secret.
    pub reason: String,
}

/// Items that a receiver did not take, though it took the request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartialRejection {
    /// Spans, data points or log records.
    pub items: u64,
    /// What the receiver said.
    pub reason: String,
}

/// Spans or log records in front of an exporter.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueHealth {
    /// How many wait.
    pub length: u64,
    /// Most that may wait; further ones are lost. 0 if there is no exporter.
    pub capacity: u64,
    /// How many are being sent.
    pub exporting: u64,
    /// How many were sent in the life of the process.
    pub exported: u64,
    /// How many were lost in the life of the process, by reason.
    pub lost: Vec<(&'static str, u64)>,
}

/// A label of which values became `other`, because its budget or the metric's limit was spent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoldedLabel {
    /// The metric.
    pub metric: &'static str,
    /// The label.
    pub label: &'static str,
    /// Records in which its value became `other`.
    pub records: u64,
}

fn signal(
    account: &SignalStats,
    endpoint: Option<String>,
    queue: Option<QueueHealth>,
) -> SignalHealth {
    let last = account.last();
    SignalHealth {
        name: account.name,
        endpoint,
        successes: account.succeeded.load(Ordering::Relaxed),
        failures: account.failed.load(Ordering::Relaxed),
        failing: account.is_failing(),
        last_success: last.success,
        last_failure: last.failure.map(|failure| ExportFailure {
            at: failure.at,
            reason: failure.reason,
        }),
        last_rejection: last.rejection.map(|rejection| PartialRejection {
            items: rejection.items,
            reason: rejection.reason,
        }),
        queue,
    }
}

fn queue(account: &QueueStats, lost: Vec<(&'static str, u64)>) -> QueueHealth {
    QueueHealth {
        length: account.queued(),
        capacity: account.capacity() as u64,
        exporting: account.exporting(),
        exported: account.exported(),
        lost,
    }
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
