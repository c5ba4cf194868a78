//! The guard: as long as it lives, telemetry runs; when it goes, everything that was recorded is sent.

use std::{
    fmt,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use opentelemetry_sdk::{metrics::SdkMeterProvider, trace::SdkTracerProvider};

use crate::{
    delivery::DELIVERY,
    lifecycle::{self, Stage},
    otlp::ConnectionRuntime,
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
    pub(crate) span_level: tracing::Level,
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
    /// The providers are shut down on a thread of their own: they block, and the SDK bounds neither of them as asked.
    fn shutdown(self, timeout: Duration) -> ShutdownReport {
        let started = Instant::now();
        lifecycle::enter(Stage::Stopping);
        let (done, finished) = mpsc::channel();
        let (tracer_provider, meter_provider) = (self.tracer_provider, self.meter_provider);
        let worker = thread::Builder::new()
            .name("rustok-telemetry-shutdown".to_owned())
            .spawn(move || {
                // Spans first: the metrics then tell what became of them.
                let traces = tracer_provider.shutdown_with_timeout(timeout);
                let metrics = meter_provider.shutdown_with_timeout(timeout);
                // Nobody listens any more when the time is up.
                let _ = done.send((traces, metrics));
            });
        let results = match worker {
            Ok(_) => finished.recv_timeout(timeout).ok(),
            Err(_) => None,
        };
        lifecycle::enter(Stage::ShutDown);
        drop(self.runtime);
        let timed_out = results.is_none();
        let (traces, metrics) = results.unwrap_or((Ok(()), Ok(())));
        let metrics_error = match (metrics, DELIVERY.metrics.error()) {
            _ if !self.pushes_metrics => None,
            (_, Some(reason)) => Some(reason),
            (Err(error), None) => Some(error.to_string()),
            (Ok(()), None) => None,
        };
        ShutdownReport {
            elapsed: started.elapsed(),
            timed_out,
            unsent_spans: DELIVERY.spans.queued() as u64,
            lost_spans: DELIVERY.spans.lost().map(|(_, spans)| spans).iter().sum(),
            traces_error: DELIVERY
                .traces
                .error()
                .or(traces.err().map(|error| error.to_string())),
            metrics_error,
        }
    }
}

/// What a shutdown could not send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// How long it took.
    pub elapsed: Duration,
    /// Whether the time was up before everything had been tried.
    pub timed_out: bool,
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
