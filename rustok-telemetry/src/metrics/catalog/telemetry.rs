//! Metrics of telemetry itself: folded label values, dropped records, failed exports.
//!
//! They are read from this crate's counters at collection, so the Prometheus text has them even if no export succeeds.

use std::sync::atomic::Ordering;

use crate::{
    delivery::{DELIVERY, threads},
    lifecycle,
    metrics::{bridge, callbacks, collection::hook_count, registered::ALL},
};

/// Declarations. Observables have no function to call.
#[crate::metrics(namespace = "rustok", subsystem = "telemetry")]
mod declared {
    /// Records with a label value folded to other, because the label budget or the series limit was exhausted.
    ///
    /// A metric has these series, with 0, from its own first series on, so that `rate()` includes the first fold.
    #[observable_counter(name = "label_values_folded_total", observe = super::folds, series = 600)]
    fn label_values_folded(
        #[label(budget = 200)] metric: &str,
        #[label(budget = 100)] label: &str,
    ) -> u64;

    /// Metric records dropped, by reason: before_init, after_shutdown, not_finite or negative.
    #[observable_counter(name = "records_lost_total", observe = super::lost_records)]
    fn records_lost(#[label(budget = 4)] reason: &str) -> u64;

    /// Attempts to export by result: success or failure.
    #[observable_counter(name = "exports_total", observe = super::exports)]
    fn exports(#[label(budget = 3)] signal: &str, #[label(budget = 2)] result: &str) -> u64;

    /// Spans that were exported.
    #[observable_counter(name = "spans_exported_total", observe = super::spans_exported)]
    fn spans_exported() -> u64;

    /// Sampled spans dropped, by reason: export_failed, queue_full or rejected.
    ///
    /// With a spool also spool_full, spool_expired or spool_corrupt.
    #[observable_counter(name = "spans_lost_total", observe = super::spans_lost)]
    fn spans_lost(#[label(budget = 6)] reason: &str) -> u64;

    /// Spans waiting in the export queue, without those being exported.
    #[observable_gauge(name = "span_queue_length", observe = super::span_queue_length)]
    fn span_queue_length() -> u64;

    /// Capacity of the span export queue; spans beyond it are dropped.
    #[observable_gauge(name = "span_queue_capacity", observe = super::span_queue_capacity)]
    fn span_queue_capacity() -> u64;

    /// Log records that were exported.
    #[observable_counter(name = "log_records_exported_total", observe = super::log_records_exported)]
    fn log_records_exported() -> u64;

    /// Log records dropped, by reason: export_failed, queue_full, rejected or after_shutdown.
    ///
    /// With a spool also spool_full, spool_expired or spool_corrupt.
    #[observable_counter(name = "log_records_lost_total", observe = super::log_records_lost)]
    fn log_records_lost(#[label(budget = 7)] reason: &str) -> u64;

    /// Log records waiting in the export queue, without those being exported.
    #[observable_gauge(name = "log_record_queue_length", observe = super::log_record_queue_length)]
    fn log_record_queue_length() -> u64;

    /// Capacity of the log record export queue; records beyond it are dropped. 0 unless OTEL_LOGS_EXPORTER is otlp.
    #[observable_gauge(name = "log_record_queue_capacity", observe = super::log_record_queue_capacity)]
    fn log_record_queue_capacity() -> u64;

    /// Observed label sets dropped, because the metric had reached its series limit.
    ///
    /// A metric has this series from its first observation on; one of a Prometheus registry from its first drop on.
    #[observable_counter(name = "observations_dropped_total", observe = super::observations_dropped)]
    fn observations_dropped(#[label(budget = 200)] metric: &str) -> u64;

    /// Panics of metric callbacks; their values are missing from that collection.
    #[observable_counter(name = "observation_panics_total", observe = super::observation_panics)]
    fn observation_panics() -> u64;

    /// Metric callbacks that had not returned when a collection needed their values, which are missing or old there.
    #[observable_counter(name = "observation_timeouts_total", observe = super::observation_timeouts)]
    fn observation_timeouts() -> u64;

    /// Panics on the threads of telemetry, which continue after a pause.
    #[observable_counter(name = "thread_panics_total", observe = super::thread_panics)]
    fn thread_panics(#[label(budget = 6)] thread: &str) -> u64;

    /// Callbacks registered to run before each collection.
    #[observable_gauge(name = "collection_hooks", observe = super::collection_hooks)]
    fn collection_hooks() -> u64;
}

fn folds(report: &mut dyn FnMut([&str; 2], u64)) {
    for metric in ALL {
        let name = metric.declaration().name;
        metric.visit_folds(&mut |label, records| report([name, label], records));
    }
}

fn lost_records(report: &mut dyn FnMut([&str; 1], u64)) {
    for (reason, records) in lifecycle::lost_records().by_reason() {
        report([reason], records);
    }
}

fn exports(report: &mut dyn FnMut([&str; 2], u64)) {
    for signal in DELIVERY.signals() {
        report(
            [signal.name, "success"],
            signal.succeeded.load(Ordering::Relaxed),
        );
        report(
            [signal.name, "failure"],
            signal.failed.load(Ordering::Relaxed),
        );
    }
}

fn spans_lost(report: &mut dyn FnMut([&str; 1], u64)) {
    for (reason, spans) in DELIVERY.spans.lost() {
        report([reason], spans);
    }
}

fn log_records_lost(report: &mut dyn FnMut([&str; 1], u64)) {
    for (reason, records) in DELIVERY.lost_log_records() {
        report([reason], records);
    }
}

fn thread_panics(report: &mut dyn FnMut([&str; 1], u64)) {
    for thread in threads::ALL {
        report([thread.name], thread.panics());
    }
}

fn observations_dropped(report: &mut dyn FnMut([&str; 1], u64)) {
    for metric in ALL {
        if let Some(dropped) = metric.observations_dropped() {
            report([metric.declaration().name], dropped);
        }
    }
    bridge::visit_dropped(&mut |metric, dropped| report([metric], dropped));
}

/// Defines the callback of each metric without labels.
macro_rules! callbacks {
    ($($name:ident: $value:expr;)*) => {$(
        fn $name(report: &mut dyn FnMut([&str; 0], u64)) {
            report([], $value);
        }
    )*};
}

callbacks! {
    spans_exported: DELIVERY.spans.exported();
    span_queue_length: DELIVERY.spans.queued();
    span_queue_capacity: DELIVERY.spans.capacity() as u64;
    log_records_exported: DELIVERY.log_records.exported();
    log_record_queue_length: DELIVERY.log_records.queued();
    log_record_queue_capacity: DELIVERY.log_records.capacity() as u64;
    observation_panics: callbacks::PANICS.load(Ordering::Relaxed);
    observation_timeouts: callbacks::TIMEOUTS.load(Ordering::Relaxed);
    collection_hooks: hook_count() as u64;
}
