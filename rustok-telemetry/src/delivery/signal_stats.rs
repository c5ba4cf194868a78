//! Exports of one signal: totals, and the latest of each outcome. Logs the first failure and the recovery.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Relaxed, Release},
        },
    },
    time::SystemTime,
};

use super::{
    DELIVERY,
    outcome::{ExportOutcome, PartialRejection},
};
use crate::lifecycle::{self, Stage};

#[derive(Debug)]
pub(crate) struct SignalStats {
    pub(crate) name: &'static str,
    pub(crate) succeeded: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Whether the last export failed. Exports that the end of a shutdown cut off do not change it.
    failing: AtomicBool,
    /// Items that are too large were logged.
    too_large_logged: AtomicBool,
    last: Mutex<LastExports>,
}

#[derive(Debug, Clone)]
pub(crate) struct LastExports {
    pub(crate) success: Option<SystemTime>,
    pub(crate) failure: Option<ExportFailure>,
    pub(crate) rejection: Option<PartialRejection>,
}

/// A failed export.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportFailure {
    /// When it failed.
    pub at: SystemTime,
    /// Why it failed, without secrets.
    pub reason: String,
}

impl SignalStats {
    pub(super) const fn new(name: &'static str) -> Self {
        Self {
            name,
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            too_large_logged: AtomicBool::new(false),
            last: Mutex::new(LastExports {
                success: None,
                failure: None,
                rejection: None,
            }),
        }
    }

    pub(crate) fn last(&self) -> LastExports {
        self.lock().clone()
    }

    /// Whether the last export failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// Why the last export failed, if it did.
    pub(crate) fn error(&self) -> Option<String> {
        let last = self.lock();
        let failure = last.failure.as_ref().filter(|_| self.is_failing());
        failure.map(|failure| failure.reason.clone())
    }

    /// Records the outcome of an export to `endpoint`.
    pub(crate) fn finish(&self, endpoint: &str, outcome: ExportOutcome) {
        let error = outcome.error();
        let mut last = self.lock();
        last.rejection = outcome.rejection.or(last.rejection.take());
        let Some(error) = error else {
            last.success = Some(SystemTime::now());
            drop(last);
            self.failing.store(false, Relaxed);
            self.succeeded.fetch_add(1, Release);
            let any_fails = DELIVERY.signals().iter().any(|signal| signal.is_failing());
            if !any_fails && DELIVERY.failure_logged.swap(false, Relaxed) {
                tracing::info!("exporting to {endpoint} succeeds again");
            }
            return;
        };
        // An export that the end of the shutdown cuts off says nothing about the receiver.
        let is_cut_off = lifecycle::stage() == Stage::ShutDown;
        if !is_cut_off {
            last.failure = Some(ExportFailure {
                at: SystemTime::now(),
                reason: error,
            });
            self.failing.store(true, Relaxed);
        }
        drop(last);
        // Incremented last, so that a reader of the counter also sees the failure.
        self.failed.fetch_add(1, Release);
        if is_cut_off {
            return;
        }
        // During a shutdown the report has the error.
        if lifecycle::stage() != Stage::Running {
            return;
        }
        let signal = self.name;
        if let Some(failure) = outcome.failure
            && !DELIVERY.failure_logged.swap(true, Relaxed)
        {
            let hint = hint(&failure);
            tracing::warn!(
                "exporting {signal} to {endpoint} failed: {failure}{hint} What is dropped counts in \
                 rustok_telemetry_spans_lost_total and rustok_telemetry_log_records_lost_total. Further failures are not logged until an export succeeds."
            );
        }
        if let Some(too_large) = outcome.too_large
            && !self.too_large_logged.swap(true, Relaxed)
        {
            tracing::warn!(
                "dropped some {signal}: {too_large}. OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT limits the text of attributes. \
                 Further items are counted in rustok_telemetry_* and not logged."
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, LastExports> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the end of the sentence about a failed export: the likely cause, if the error suggests one.
fn hint(failure: &str) -> &'static str {
    let causes = [
        (
            &["Connection refused"][..],
            "; is a Collector running there? Exports are tried again; `none` in OTEL_TRACES_EXPORTER and \
             OTEL_METRICS_EXPORTER turns them off.",
        ),
        (
            &["invalid HTTP version parsed", "received unexpected message"],
            "; is it the port of the other protocol? 4317 is usually gRPC, 4318 HTTP.",
        ),
        (
            &["InvalidContentType"],
            "; does the port speak TLS? If not, the endpoint starts with http://.",
        ),
        (
            &[
                "status code: 401",
                "status code: 403",
                "Unauthenticated",
                "PermissionDenied",
            ],
            "; does the receiver require credentials? OTEL_EXPORTER_OTLP_HEADERS sends them.",
        ),
        (
            &["status code: 404"],
            "; does the receiver have this path? /v1/traces and similar are appended to OTEL_EXPORTER_OTLP_ENDPOINT only.",
        ),
    ];
    let matching = |(texts, _): &&(&[&str], &str)| texts.iter().any(|text| failure.contains(text));
    causes.iter().find(matching).map_or(".", |(_, hint)| hint)
}
