//! Metrics of the spool: what waits on disk.

use std::sync::atomic::Ordering;

use crate::delivery::{DELIVERY, SpoolStats};

/// Declarations. Observables have no function to call.
#[crate::metrics(namespace = "rustok", subsystem = "telemetry")]
mod declared {
    /// Spans or log records that wait on disk, by signal: traces or logs. Absent without a spool.
    #[observable_gauge(name = "spooled_items", observe = super::items)]
    fn spooled_items(#[label(budget = 2)] signal: &str) -> u64;

    /// Bytes on disk of the spans or log records that wait there, by signal: traces or logs. Absent without a spool.
    #[observable_gauge(name = "spooled_bytes", observe = super::bytes)]
    fn spooled_bytes(#[label(budget = 2)] signal: &str) -> u64;
}

fn items(report: &mut dyn FnMut([&str; 1], u64)) {
    visit(|signal, spool| report([signal], spool.items()));
}

fn bytes(report: &mut dyn FnMut([&str; 1], u64)) {
    visit(|signal, spool| report([signal], spool.bytes.load(Ordering::Relaxed)));
}

fn visit(mut report: impl FnMut(&'static str, &SpoolStats)) {
    for (signal, queue) in [("traces", &DELIVERY.spans), ("logs", &DELIVERY.log_records)] {
        if let Some(spool) = queue.spool() {
            report(signal, spool);
        }
    }
}
