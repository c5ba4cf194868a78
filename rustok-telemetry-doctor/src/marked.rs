//! Sends one marked span, counter and log record as a service does: with [`rustok_telemetry::builder()`].

use std::time::Duration;

use opentelemetry::trace::TraceContextExt as _;
use rustok_telemetry::{
    InitError,
    config::{Sampler, Signal, TelemetryConfig},
    health::{PartialRejection, QueueHealth, SignalHealth},
};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

/// The `service.name` of the marked telemetry.
const SERVICE: &str = "rustok-telemetry-doctor";

/// The marked counter. Its label is the run.
pub const METRIC: &str = "rustok_telemetry_doctor_runs_total";

#[allow(
    unsafe_code,
    reason = "linkme puts the catalogue entries into a link section"
)]
#[rustok_telemetry::metrics(namespace = "rustok", subsystem = "telemetry_doctor")]
mod declared {
    /// Runs of rustok-telemetry-doctor.
    #[counter(name = "runs_total")]
    pub fn record_run(run: &str);
}

/// The marked telemetry, and how the receiver answered each signal.
#[derive(Debug)]
pub struct Sent {
    pub trace_id: String,
    /// Time until every export had succeeded or was given up.
    pub elapsed: Duration,
    answers: Vec<(Signal, Answer)>,
}

/// How the receiver answered the export of one signal.
#[derive(Debug)]
pub enum Answer {
    Accepted,
    /// It accepted everything, with this message.
    Warned(String),
    /// It rejected some of the items.
    Rejected(PartialRejection),
    /// The export failed, for this reason.
    Failed(String),
    /// There was no answer in time.
    None,
    /// A filter dropped the item before its queue.
    Filtered,
}

impl Sent {
    /// Returns the answer for this signal, if it was sent.
    pub fn answer(&self, signal: Signal) -> Option<&Answer> {
        let mut answers = self.answers.iter();
        let (_, answer) = answers.find(|(sent, _)| *sent == signal)?;
        Some(answer)
    }

    /// Returns whether the receiver accepted everything of this signal.
    pub fn is_accepted(&self, signal: Signal) -> bool {
        let answer = self.answer(signal);
        matches!(answer, Some(Answer::Accepted | Answer::Warned(_)))
    }
}

/// Sends one item of each of these signals. The settings are those of the environment, except for the sampler
/// (`always_on`) and the name of the service.
pub fn send(
    config: &TelemetryConfig,
    signals: &[Signal],
    run: &str,
    timeout: Duration,
) -> Result<Sent, InitError> {
    let telemetry = rustok_telemetry::builder()
        .config(only(config, signals))
        .service_name(SERVICE)
        .strict(false)
        .without_subscriber()
        .init()?;
    let subscriber = tracing_subscriber::registry()
        .with(telemetry.log_export_layer()?)
        .with(telemetry.layer());
    let trace_id = tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("rustok_telemetry_doctor", run);
        let _entered = span.enter();
        declared::record_run(run);
        // At the level that RUST_LOG is least likely to filter.
        tracing::error!(run, "a log record of rustok-telemetry-doctor");
        span.context().span().span_context().trace_id().to_string()
    });
    let elapsed = telemetry.shutdown_within(timeout).elapsed;
    let health = rustok_telemetry::health();
    let answers = signals.iter().filter_map(|&signal| {
        let mut signals = health.signals.iter();
        let health = signals.find(|health| health.name == name(signal))?;
        Some((signal, answer(health)))
    });
    Ok(Sent {
        trace_id,
        elapsed,
        answers: answers.collect(),
    })
}

/// Returns the name of a signal: `traces`, `metrics` or `logs`.
pub fn name(signal: Signal) -> &'static str {
    signal.path().trim_start_matches("/v1/")
}

/// Returns the configuration without the exporters of all other signals.
fn only(config: &TelemetryConfig, signals: &[Signal]) -> TelemetryConfig {
    let mut config = config.clone();
    config.diagnostics.clear();
    config.traces.sampler.set(Sampler::AlwaysOn);
    if !signals.contains(&Signal::Traces) {
        config.traces.exporters.set(Vec::new());
    }
    if !signals.contains(&Signal::Metrics) {
        config.metrics.exporters.set(Vec::new());
    }
    if !signals.contains(&Signal::Logs) {
        config.logs.exporters.set(Vec::new());
    }
    config
}

fn answer(health: &SignalHealth) -> Answer {
    match (&health.last_failure, &health.last_rejection) {
        (Some(failure), _) if health.failing => Answer::Failed(failure.reason.clone()),
        (_, Some(rejection)) if rejection.items == 0 => Answer::Warned(rejection.reason.clone()),
        (_, Some(rejection)) => Answer::Rejected(rejection.clone()),
        _ if health.successes > 0 => Answer::Accepted,
        _ if health.queue.as_ref().is_some_and(is_unused) => Answer::Filtered,
        _ => Answer::None,
    }
}

fn is_unused(queue: &QueueHealth) -> bool {
    let dropped: u64 = queue.lost.iter().map(|(_, items)| items).sum();
    queue.length + queue.exporting + queue.exported + dropped == 0
}
