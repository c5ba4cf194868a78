//! Sends one marked span, metric and log record, the way a service sends its own: by [`rustok_telemetry::init()`].

use std::time::Duration;

use opentelemetry::trace::TraceContextExt as _;
use rustok_telemetry::{
    config::{Sampler, Signal, TelemetryConfig},
    health::{PartialRejection, SignalHealth},
};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

/// The service that the marked telemetry says it is of.
pub const SERVICE: &str = "rustok-telemetry-doctor";

/// The marked metric, which has the run as its label.
pub const METRIC: &str = "rustok_telemetry_doctor_runs_total";

#[allow(
    unsafe_code,
    reason = "linkme puts the catalogue entries into a link section"
)]
#[rustok_telemetry::metrics(namespace = "rustok", subsystem = "telemetry_doctor")]
mod declared {
    /// Runs of the doctor that sent this.
    #[counter(name = "runs_total")]
    pub fn record_run(run: &str);
}

/// What was sent, and how each signal was taken.
#[derive(Debug)]
pub struct Sent {
    pub trace_id: String,
    /// How long it took until all was sent, or given up.
    pub elapsed: Duration,
    taken: Vec<(Signal, Taken)>,
}

/// How the receiver took one signal.
#[derive(Debug, Clone)]
pub enum Taken {
    Whole,
    /// It answered that all is well, and refused a part.
    InPart(PartialRejection),
    /// It refused, or could not be asked.
    Not(String),
    /// There was no answer in time.
    Unanswered,
}

impl Sent {
    pub fn taken(&self, signal: Signal) -> Option<&Taken> {
        let found = self.taken.iter().find(|(sent, _)| *sent == signal);
        found.map(|(_, taken)| taken)
    }
}

/// Sends what these signals carry. The settings are those of the environment, except that the span is sampled in any
/// case, and that the service is the doctor.
pub fn send(
    config: &TelemetryConfig,
    signals: &[Signal],
    run: &str,
    timeout: Duration,
) -> Result<Sent, String> {
    let telemetry = rustok_telemetry::builder()
        .config(only(config, signals))
        .service_name(SERVICE)
        .strict(false)
        .without_subscriber()
        .init()
        .map_err(|error| error.to_string())?;
    let records = telemetry
        .log_export_layer()
        .map_err(|error| error.to_string())?;
    let subscriber = tracing_subscriber::registry()
        .with(records)
        .with(telemetry.layer());
    let trace_id = tracing::subscriber::with_default(subscriber, || {
        let span = tracing::info_span!("rustok_telemetry_doctor", run);
        let _entered = span.enter();
        declared::record_run(run);
        tracing::error!(
            run,
            "a log record of rustok-telemetry-doctor, to see where it gets to"
        );
        span.context().span().span_context().trace_id().to_string()
    });
    let elapsed = telemetry.shutdown_within(timeout).elapsed;
    let health = rustok_telemetry::health();
    let taken = signals.iter().filter_map(|&signal| {
        let told = health
            .signals
            .iter()
            .find(|told| told.name == name(signal))?;
        Some((signal, taken(told)))
    });
    Ok(Sent {
        trace_id,
        elapsed,
        taken: taken.collect(),
    })
}

/// The signal's name in reports.
pub fn name(signal: Signal) -> &'static str {
    signal.path().trim_start_matches("/v1/")
}

fn only(config: &TelemetryConfig, signals: &[Signal]) -> TelemetryConfig {
    let mut config = config.clone();
    config.problems.clear();
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

fn taken(told: &SignalHealth) -> Taken {
    match (&told.last_failure, &told.last_rejection) {
        (Some(failure), _) if told.failing => Taken::Not(failure.reason.clone()),
        (_, Some(rejection)) => Taken::InPart(rejection.clone()),
        _ if told.successes > 0 => Taken::Whole,
        _ => Taken::Unanswered,
    }
}
