//! The threads of this crate. A panic on one is counted, logged the first time, and does not end the thread.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Pause of a thread after a panic, so that one that panics again and again does not use up a processor.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

pub(crate) static TRACES: OwnThread = OwnThread::new("telemetry-traces");
pub(crate) static LOGS: OwnThread = OwnThread::new("telemetry-logs");
pub(crate) static METRICS: OwnThread = OwnThread::new("telemetry-metrics");
pub(crate) static CONSOLE: OwnThread = OwnThread::new("telemetry-console");
pub(crate) static FLUSH: OwnThread = OwnThread::new("telemetry-flush");
pub(crate) static SHUTDOWN: OwnThread = OwnThread::new("telemetry-shutdown");

/// All but the thread for connections, where tokio catches panics, and those of callbacks (`metrics/callbacks.rs`).
pub(crate) static ALL: [&OwnThread; 6] = [&TRACES, &LOGS, &METRICS, &CONSOLE, &FLUSH, &SHUTDOWN];

/// A kind of thread of this crate.
#[derive(Debug)]
pub(crate) struct OwnThread {
    pub(crate) name: &'static str,
    panics: AtomicU64,
}

impl OwnThread {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            panics: AtomicU64::new(0),
        }
    }

    pub(crate) fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }

    /// Does a piece of the thread's work; returns the message of a panic as the error.
    pub(crate) fn guard<T>(&self, work: impl FnOnce() -> T) -> Result<T, String> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
            let name = self.name;
            let error = format!("the thread {name} panicked: {}", message(&*payload));
            if self.panics.fetch_add(1, Relaxed) == 0 {
                // A layer of the service may have been the one that panicked.
                let _ = catch_unwind(|| {
                    tracing::error!(
                        "{error}. It continues; spans and log records that it was exporting count as dropped. Look for \
                         a panic in a layer, processor or exporter of the service. Further panics are counted in \
                         rustok_telemetry_thread_panics_total and not logged."
                    );
                });
            }
            error
        })
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
