//! The way of a log record: encoded once, and handed to the export queue and to an observer.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::{InstrumentationScope, TraceId, logs::Severity};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord},
};

use tracing::Level;

use super::{
    ConnectionRuntime,
    batches::{Batches, Items},
    encode::{self, Encoded},
};
use crate::{
    InitError,
    config::{LogsConfig, SpoolConfig},
    delivery::{DELIVERY, Importance, threads},
    lifecycle,
};

const LOG_RECORDS: Items = Items {
    queue: &DELIVERY.log_records,
    thread: &threads::LOGS,
    // The name of the scope is the target.
    describe: |record| format!("a log record of {:?}", record.scope.name()),
};

/// Gets log records, on the thread that emits them.
pub(crate) trait LogObserver: fmt::Debug + Send + Sync {
    /// Returns whether to pass a record.
    fn wants(&self, level: Level, trace_id: Option<TraceId>) -> bool;

    fn emitted(&self, record: &SdkLogRecord, encoded: &Arc<[u8]>);
}

/// Encodes every record. One that finds the queue full, or that comes after the shutdown, is counted and dropped.
#[derive(Debug)]
pub(crate) struct EncodingLogProcessor {
    /// `None` without the exporter.
    pub(crate) export: Option<LogExport>,
    pub(crate) observer: Option<Arc<dyn LogObserver>>,
    /// Whether only records that the observer wants are created.
    pub(crate) is_for_observer: bool,
}

/// The exporter of log records.
#[derive(Debug)]
pub(crate) struct LogExport {
    batches: Batches,
    closed: AtomicBool,
}

impl LogExport {
    pub(crate) fn start(
        config: &LogsConfig,
        spool: &SpoolConfig,
        resource: &Resource,
        runtime: &mut ConnectionRuntime,
    ) -> Result<Self, InitError> {
        let (otlp, batch) = (&config.otlp, &config.batch);
        Ok(Self {
            batches: Batches::start(LOG_RECORDS, otlp, batch, spool, resource, runtime)?,
            closed: AtomicBool::new(false),
        })
    }

    fn admit(&self, importance: Importance) -> bool {
        if self.closed.load(Ordering::Relaxed) {
            DELIVERY.late_log_records.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        self.batches.admit(importance)
    }
}

impl LogProcessor for EncodingLogProcessor {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        let level = level(record);
        let importance = importance(level);
        let export = self.export.as_ref();
        let admitted = export.filter(|export| export.admit(importance));
        if admitted.is_none() && self.observer.is_none() {
            return;
        }
        let message = encode::log_record(record);
        let wants = |observer: &&Arc<dyn LogObserver>| {
            self.is_for_observer || observer.wants(level, trace_id(record))
        };
        if let Some(observer) = self.observer.as_ref().filter(wants) {
            observer.emitted(record, &message);
        }
        if let Some(export) = admitted {
            let scope = exported_scope(record, scope);
            export.batches.send(Encoded {
                scope,
                message,
                importance,
            });
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        let export = self.export.as_ref();
        export.map_or(Ok(()), |export| export.batches.flush())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let Some(export) = &self.export else {
            return Ok(());
        };
        export.closed.store(true, Ordering::Relaxed);
        export.batches.shut_down(timeout)
    }
}

/// Drops and counts a log record before it is created, if the queue is full.
pub(crate) fn drop_log_record_if_full(level: Level) -> bool {
    // After the shutdown it counts with another reason.
    lifecycle::is_running() && DELIVERY.log_records.drop_if_full(importance(level))
}

fn importance(level: Level) -> Importance {
    match level <= Level::WARN {
        true => Importance::High,
        false => Importance::Ordinary,
    }
}

fn level(record: &SdkLogRecord) -> Level {
    match record.severity_number() {
        Some(severity) if severity >= Severity::Error => Level::ERROR,
        Some(severity) if severity >= Severity::Warn => Level::WARN,
        _ => Level::INFO,
    }
}

fn trace_id(record: &SdkLogRecord) -> Option<TraceId> {
    record.trace_context().map(|origin| origin.trace_id)
}

/// Returns the scope with the target of the record as its name.
fn exported_scope(record: &SdkLogRecord, scope: &InstrumentationScope) -> InstrumentationScope {
    let Some(target) = record.target() else {
        return scope.clone();
    };
    let mut named = InstrumentationScope::builder(target.clone());
    if let Some(version) = scope.version() {
        named = named.with_version(version.to_owned());
    }
    if let Some(schema_url) = scope.schema_url() {
        named = named.with_schema_url(schema_url.to_owned());
    }
    named.with_attributes(scope.attributes().cloned()).build()
}
