//! The guard: as long as it lives, telemetry runs; when it goes, everything that was recorded is sent.

use std::{
    fmt,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use opentelemetry_sdk::{
    error::OTelSdkResult, metrics::SdkMeterProvider, trace::SdkTracerProvider,
};

use crate::{
    delivery::DELIVERY,
    lifecycle::{self, Stage},
    otlp::ConnectionRuntime,
    trace::SpanFilter,
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
}

/// What has to be shut down.
pub(crate) struct Running {
    pub(crate) tracer_provider: SdkTracerProvider,
    pub(crate) meter_provider: SdkMeterProvider,
    pub(crate) pushes_metrics: bool,
    pub(crate) runtime: ConnectionRuntime,
    pub(crate) span_filter: SpanFilter,
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
    /// The providers are shut down on threads of their own: they block, and the SDK bounds neither of them as asked.
    fn shutdown(self, timeout: Duration) -> ShutdownReport {
        let started = Instant::now();
        let left = || timeout.saturating_sub(started.elapsed());
        lifecycle::enter(Stage::Stopping);
        let open_spans = DELIVERY.spans.open() as u64;
        let (tracer_provider, meter_provider) = (self.tracer_provider, self.meter_provider);
        let traces = on_a_thread(move || tracer_provider.shutdown_with_timeout(timeout));
        // Spans first, so that the last metrics tell what became of them; but traces that nobody takes leave the
        // metrics half of the time.
        let mut traces_result = traces.recv_timeout(timeout / 2).ok();
        let (pushes, limit) = (self.pushes_metrics, left());
        let metrics = on_a_thread(move || {
            let result = meter_provider.shutdown_with_timeout(limit);
            // The SDK waits for five seconds, whatever it is told, while the last export may still succeed.
            match pushes && !DELIVERY.metrics_closed.wait(limit) {
                true => result,
                false => Ok(()),
            }
        });
        let metrics_result = metrics.recv_timeout(left()).ok();
        traces_result = traces_result.or_else(|| traces.recv_timeout(left()).ok());
        lifecycle::enter(Stage::ShutDown);
        drop(self.runtime);
        let error = |result: &Option<OTelSdkResult>| match result {
            Some(Err(error)) => Some(error.to_string()),
            Some(Ok(())) | None => None,
        };
        let metrics_error = DELIVERY.metrics.error().or(error(&metrics_result));
        ShutdownReport {
            elapsed: started.elapsed(),
            timed_out: traces_result.is_none() || metrics_result.is_none(),
            open_spans,
            unsent_spans: (DELIVERY.spans.queued() + DELIVERY.spans.exporting()) as u64,
            lost_spans: DELIVERY.spans.lost().map(|(_, spans)| spans).iter().sum(),
            traces_error: DELIVERY.traces.error().or(error(&traces_result)),
            metrics_error: metrics_error.filter(|_| pushes),
        }
    }
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
    /// Why the last spans could not be sent.
    pub traces_error: Option<String>,
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
            && self.traces_error.is_none()
            && self.metrics_error.is_none()
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_complete() {
            return write!(f, "telemetry: everything was sent");
        }
        let mut parts = Vec::new();
        if self.timed_out {
            parts.push(format!(
                "the time was up after {:.1} s",
                self.elapsed.as_secs_f64()
            ));
        }
        if self.open_spans > 0 {
            parts.push(format!("{} spans had not ended", self.open_spans));
        }
        if self.unsent_spans > 0 {
            parts.push(format!("{} spans were still waiting", self.unsent_spans));
        }
        if self.lost_spans > 0 {
            parts.push(format!("{} spans were lost", self.lost_spans));
        }
        if let Some(error) = &self.traces_error {
            parts.push(format!("traces: {error}"));
        }
        if let Some(error) = &self.metrics_error {
            parts.push(format!("the last metrics: {error}"));
        }
        write!(
            f,
            "telemetry: not everything was sent: {}",
            parts.join("; ")
        )
    }
}
