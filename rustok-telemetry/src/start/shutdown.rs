//! The guard: as long as it lives, telemetry runs; when it goes, everything that was recorded is sent.

use std::{
    fmt,
    sync::{atomic::Ordering, mpsc},
    thread,
    time::{Duration, Instant},
};

use opentelemetry_sdk::{error::OTelSdkResult, logs::SdkLoggerProvider, metrics::SdkMeterProvider};

use super::flush::Flushes;
use crate::{
    delivery::{DELIVERY, QueueStats},
    lifecycle::{self, Stage},
    logging::{LogFilter, RecordSender},
    otlp::ConnectionRuntime,
    trace::{SpanFilter, UniqueTracerProvider},
};

/// How long a shutdown takes at most, unless [`Telemetry::shutdown_within`] says otherwise.
pub const DEFAULT_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Running telemetry. Keep it until the program ends: dropping it shuts telemetry down.
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
#[must_use = "telemetry is shut down as soon as the guard is dropped"]
pub struct Telemetry {
    pub(crate) running: Option<Running>,
    pub(crate) log_filter: LogFilter,
}

/// What has to be shut down.
pub(crate) struct Running {
    pub(crate) tracer_provider: UniqueTracerProvider,
    pub(crate) logger_provider: Option<SdkLoggerProvider>,
    pub(crate) meter_provider: SdkMeterProvider,
    pub(crate) pushes_metrics: bool,
    pub(crate) runtime: ConnectionRuntime,
    pub(crate) span_filter: SpanFilter,
    pub(crate) record_sender: Option<RecordSender>,
    pub(crate) flushes: Flushes,
}

impl Telemetry {
    /// Sends everything that was recorded, within [`DEFAULT_SHUTDOWN_TIMEOUT`], and tells what could not be sent.
    ///
    /// Blocks the calling thread, but no runtime: it may be called within tokio, of either flavour. What is recorded
    /// from now on is counted as lost.
    pub fn shutdown(self) -> ShutdownReport {
        self.shutdown_within(DEFAULT_SHUTDOWN_TIMEOUT)
    }

    /// Like [`shutdown`](Self::shutdown), within `timeout`.
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
            let report = running.shutdown(DEFAULT_SHUTDOWN_TIMEOUT);
            if !report.is_complete() {
                tracing::warn!("{report}");
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
    /// The providers are shut down on threads of their own: they block, and the SDK bounds none of them as asked.
    fn shutdown(self, timeout: Duration) -> ShutdownReport {
        let started = Instant::now();
        let left = |share: Duration| share.saturating_sub(started.elapsed());
        lifecycle::enter(Stage::Stopping);
        let open_spans = DELIVERY.open_spans.load(Ordering::Relaxed) as u64;
        let (tracer_provider, meter_provider) = (self.tracer_provider, self.meter_provider);
        // The time is kept here. If it were the SDK's too, either could be up first, which is told differently.
        let longer = timeout.saturating_add(Duration::from_secs(5));
        let traces = on_a_thread(move || tracer_provider.shutdown_with_timeout(longer));
        let logs = self
            .logger_provider
            .map(|provider| on_a_thread(move || provider.shutdown_with_timeout(longer)));
        // Spans and log records first, so that the last metrics tell what became of them; but what nobody takes leaves
        // the metrics half of the time.
        let mut traces_result = traces.recv_timeout(left(timeout / 2)).ok();
        let mut logs_result = match &logs {
            Some(logs) => logs.recv_timeout(left(timeout / 2)).ok(),
            None => Some(Ok(())),
        };
        let (pushes, limit) = (self.pushes_metrics, left(timeout));
        let metrics = on_a_thread(move || {
            let result = meter_provider.shutdown_with_timeout(limit);
            // The SDK waits for five seconds, whatever it is told, while the last export may still succeed.
            match pushes && !DELIVERY.metrics_closed.wait(limit) {
                true => result,
                false => Ok(()),
            }
        });
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
        let waiting = |account: &QueueStats| account.queued() + account.exporting();
        let report = ShutdownReport {
            elapsed: started.elapsed(),
            timed_out: results.iter().any(|result| result.is_none()),
            open_spans,
            unsent_spans: waiting(&DELIVERY.spans),
            lost_spans: sum(DELIVERY.spans.lost()),
            unsent_log_records: waiting(&DELIVERY.log_records),
            lost_log_records: sum(DELIVERY.lost_log_records()),
            traces_error: DELIVERY.traces.error().or(error(&traces_result)),
            logs_error: DELIVERY.logs.error().or(error(&logs_result)),
            metrics_error: metrics_error.filter(|_| pushes),
        };
        // Only now: it cuts off what has no answer yet.
        drop(self.runtime);
        report
    }
}

fn sum<const N: usize>(by_reason: [(&str, u64); N]) -> u64 {
    by_reason.map(|(_, items)| items).iter().sum()
}

/// Runs something that blocks; its result arrives at the receiver, unless the thread cannot be had.
fn on_a_thread<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> mpsc::Receiver<T> {
    let (done, finished) = mpsc::channel();
    // Nobody listens any more when the time is up; and without a thread the receiver says at once that nothing comes.
    let _ = thread::Builder::new()
        .name("rustok-telemetry-shutdown".to_owned())
        .spawn(move || done.send(run()));
    finished
}

/// What a shutdown could not send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "it says what was not sent: print it unless it `is_complete`"]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How long it took.
    pub elapsed: Duration,
    /// Whether the time was up before everything had been tried.
    pub timed_out: bool,
    /// Sampled spans that had been entered and had not ended when the shutdown began. They are not sent.
    pub open_spans: u64,
    /// Sampled spans that still waited when the time was up.
    pub unsent_spans: u64,
    /// Sampled spans that were lost in the life of the process: their export failed, or the queue was full.
    pub lost_spans: u64,
    /// Log records that still waited when the time was up.
    pub unsent_log_records: u64,
    /// Log records that were lost in the life of the process: their export failed, the queue was full, or they came
    /// when the shutdown had begun.
    pub lost_log_records: u64,
    /// Why the last spans could not be sent.
    pub traces_error: Option<String>,
    /// Why the last log records could not be sent.
    pub logs_error: Option<String>,
    /// Why the last metrics could not be sent.
    pub metrics_error: Option<String>,
}

impl ShutdownReport {
    /// Whether everything that was recorded has been sent.
    pub fn is_complete(&self) -> bool {
        !self.timed_out
            && self.open_spans == 0
            && self.unsent_spans == 0
            && self.lost_spans == 0
            && self.unsent_log_records == 0
            && self.lost_log_records == 0
            && self.traces_error.is_none()
            && self.logs_error.is_none()
            && self.metrics_error.is_none()
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = [
            (self.open_spans, "spans had not ended"),
            (self.unsent_spans, "spans were still waiting"),
            (self.lost_spans, "spans were lost"),
            (self.unsent_log_records, "log records were still waiting"),
            (self.lost_log_records, "log records were lost"),
        ];
        let errors = [
            ("traces", &self.traces_error),
            ("logs", &self.logs_error),
            ("the last metrics", &self.metrics_error),
        ];
        let late = self.timed_out.then_some(self.elapsed);
        f.write_str(&describe(late, &counts, None, &errors))
    }
}

/// What was not sent, in one line. `late`: the time was up after so long.
pub(crate) fn describe(
    late: Option<Duration>,
    counts: &[(u64, &str)],
    metrics: Option<&str>,
    errors: &[(&str, &Option<String>)],
) -> String {
    let late = late.map(|after| format!("the time was up after {:.1} s", after.as_secs_f64()));
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, what)| format!("{count} {what}"));
    let errors = errors
        .iter()
        .filter_map(|(what, error)| Some(format!("{what}: {}", error.as_ref()?)));
    let metrics = metrics.map(str::to_owned);
    let parts: Vec<_> = late
        .into_iter()
        .chain(counts)
        .chain(metrics)
        .chain(errors)
        .collect();
    match parts.is_empty() {
        true => "telemetry: everything was sent".to_owned(),
        false => format!("telemetry: not everything was sent: {}", parts.join("; ")),
    }
}
