//! The guard of running telemetry, and its shutdown.

use std::{
    fmt,
    sync::{atomic::Ordering, mpsc},
    thread,
    time::{Duration, Instant},
};

use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    logs::SdkLoggerProvider,
    metrics::SdkMeterProvider,
    trace::SdkTracerProvider,
};

use super::{console_page::ConsolePage, flush::Flushes, report::ShutdownReport};
use crate::{
    delivery::{DELIVERY, QueueStats, threads},
    lifecycle::{self, Stage},
    logging::{LogFilter, RecordSender},
    otlp::ConnectionRuntime,
    trace::{SpanFilter, UniqueTracerProvider},
};

/// Timeout of [`Telemetry::shutdown`] and of dropping [`Telemetry`]: 10 seconds.
pub const DEFAULT_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// A guard that is dropped before this age, and before a span has ended, was probably not kept.
const SOONEST_DROP: Duration = Duration::from_millis(100);

/// Guard of running telemetry, returned by [`init`](crate::init()). Keep it until the program ends.
///
/// Dropping it shuts telemetry down, within [`DEFAULT_SHUTDOWN_TIMEOUT`], and logs a warning if not everything was
/// exported. Prefer [`shutdown`](Self::shutdown), which returns a report.
///
/// ```no_run
/// # fn main() -> Result<(), rustok_telemetry::InitError> {
/// let telemetry = rustok_telemetry::init()?;
/// // … the service runs …
/// let report = telemetry.shutdown();
/// if !report.is_complete() {
///     eprintln!("{report}");
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "telemetry is shut down as soon as the guard is dropped: keep it in a named variable, since `let _ =` \
              drops it at once"]
pub struct Telemetry {
    pub(crate) running: Option<Running>,
    pub(crate) log_filter: LogFilter,
}

/// The parts that a shutdown stops.
pub(crate) struct Running {
    pub(crate) tracer_provider: UniqueTracerProvider,
    pub(crate) logger_provider: Option<SdkLoggerProvider>,
    pub(crate) meter_provider: SdkMeterProvider,
    pub(crate) has_exporters: bool,
    pub(crate) pushes_metrics: bool,
    pub(crate) is_of_service: bool,
    pub(crate) runtime: ConnectionRuntime,
    pub(crate) span_filter: SpanFilter,
    pub(crate) record_sender: Option<RecordSender>,
    pub(crate) flushes: Flushes,
    pub(crate) console: ConsolePage,
    pub(crate) started: Instant,
}

impl Telemetry {
    /// Returns the provider of the tracers, for libraries that need one of the SDK; `None` if telemetry is disabled.
    ///
    /// [`shutdown`](Self::shutdown) shuts it down. Prefer `opentelemetry::global::tracer` for spans: its spans keep one
    /// value for each attribute.
    pub fn tracer_provider(&self) -> Option<&SdkTracerProvider> {
        self.running
            .as_ref()
            .map(|running| &*running.tracer_provider)
    }

    /// Returns the provider of the meters, which is also the global one; `None` if telemetry is disabled.
    pub fn meter_provider(&self) -> Option<&SdkMeterProvider> {
        self.running.as_ref().map(|running| &running.meter_provider)
    }

    /// Returns the provider of the loggers; `None` if telemetry is disabled, or nothing gets log records.
    pub fn logger_provider(&self) -> Option<&SdkLoggerProvider> {
        self.running.as_ref()?.logger_provider.as_ref()
    }

    /// Exports everything that was recorded, within [`DEFAULT_SHUTDOWN_TIMEOUT`], and returns what was not exported.
    ///
    /// Blocks the calling thread; it may be called within a tokio runtime of either flavor. Later records are dropped
    /// and counted.
    pub fn shutdown(self) -> ShutdownReport {
        self.shutdown_within(DEFAULT_SHUTDOWN_TIMEOUT)
    }

    /// Shuts down like [`shutdown`](Self::shutdown), within `timeout`.
    pub fn shutdown_within(mut self, timeout: Duration) -> ShutdownReport {
        match self.running.take() {
            Some(running) => running.shutdown(timeout),
            None => ShutdownReport::default(),
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let age = running.started.elapsed();
            let report = running.shutdown(DEFAULT_SHUTDOWN_TIMEOUT);
            if !report.is_complete() {
                tracing::warn!("{report}");
            }
            if age < SOONEST_DROP && DELIVERY.spans.entered() == 0 {
                tracing::warn!(
                    "telemetry has been shut down, because its guard was dropped {} ms after the start. If the service \
                     has not ended, keep the guard in a named variable: `let _ =` drops it at once",
                    age.as_millis()
                );
            }
        }
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry")
            .field("running", &self.running.is_some())
            .finish()
    }
}

impl Running {
    /// Shuts the providers down on separate threads, because they block and do not respect the SDK's timeouts.
    fn shutdown(self, timeout: Duration) -> ShutdownReport {
        let started = Instant::now();
        let left = |share: Duration| share.saturating_sub(started.elapsed());
        lifecycle::enter(Stage::Stopping);
        self.console.stop();
        if self.is_of_service {
            // The service shuts its providers down.
            lifecycle::enter(Stage::ShutDown);
            return ShutdownReport::default();
        }
        let open_spans = DELIVERY.open_spans.load(Ordering::Relaxed) as u64;
        let (tracer_provider, meter_provider) = (self.tracer_provider, self.meter_provider);
        // The timeout is enforced here. The SDK's is longer, so that it is never the first to elapse.
        let longer = timeout.saturating_add(Duration::from_secs(5));
        let traces = on_a_thread(move || tracer_provider.shutdown_with_timeout(longer));
        let logs = self
            .logger_provider
            .map(|provider| on_a_thread(move || provider.shutdown_with_timeout(longer)));
        // Spans and log records first, so that the last metrics include their outcome. They take at most half of the
        // time.
        let mut traces_result = traces.recv_timeout(left(timeout / 2)).ok();
        let mut logs_result = match &logs {
            Some(logs) => logs.recv_timeout(left(timeout / 2)).ok(),
            None => Some(Ok(())),
        };
        let metrics = on_a_thread(move || meter_provider.shutdown_with_timeout(longer));
        let metrics_result = metrics.recv_timeout(left(timeout)).ok();
        traces_result = traces_result.or_else(|| traces.recv_timeout(left(timeout)).ok());
        logs_result = logs_result.or_else(|| logs?.recv_timeout(left(timeout)).ok());
        lifecycle::enter(Stage::ShutDown);
        let error = |result: &Option<OTelSdkResult>| match result {
            Some(Err(error)) => Some(error.to_string()),
            Some(Ok(())) | None => None,
        };
        let results = [&traces_result, &logs_result, &metrics_result];
        let metrics_error = DELIVERY.metrics.error().or(error(&metrics_result));
        let waiting = |queue: &QueueStats| queue.queued() + queue.exporting();
        let report = ShutdownReport {
            has_exporters: self.has_exporters,
            elapsed: started.elapsed(),
            timed_out: results.iter().any(|result| result.is_none()),
            open_spans,
            unsent_spans: waiting(&DELIVERY.spans),
            spooled_spans: DELIVERY.spans.spooled(),
            lost_spans: sum(&DELIVERY.spans.lost()),
            unsent_log_records: waiting(&DELIVERY.log_records),
            spooled_log_records: DELIVERY.log_records.spooled(),
            lost_log_records: sum(&DELIVERY.lost_log_records()),
            traces_error: DELIVERY.traces.error().or(error(&traces_result)),
            logs_error: DELIVERY.logs.error().or(error(&logs_result)),
            metrics_error: metrics_error.filter(|_| self.pushes_metrics),
        };
        // Last, because it aborts pending requests.
        drop(self.runtime);
        report
    }
}

fn sum(by_reason: &[(&str, u64)]) -> u64 {
    by_reason.iter().map(|(_, items)| items).sum()
}

/// Runs a blocking function on a new thread; the receiver gets its result, or is closed if no thread can be spawned.
fn on_a_thread(
    run: impl FnOnce() -> OTelSdkResult + Send + 'static,
) -> mpsc::Receiver<OTelSdkResult> {
    let (done, finished) = mpsc::channel();
    // After the timeout the receiver is gone.
    let _ = thread::Builder::new()
        .name(threads::SHUTDOWN.name.to_owned())
        .spawn(move || {
            let result = threads::SHUTDOWN.guard(run);
            done.send(result.unwrap_or_else(|panic| Err(OTelSdkError::InternalFailure(panic))))
        });
    finished
}
