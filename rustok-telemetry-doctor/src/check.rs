//! The live check, hop by hop: from this process to the Collector, and on to Jaeger and Prometheus.

use rustok_telemetry::config::{OtlpConfig, Signal, TelemetryConfig};

use crate::{
    diagnosis::diagnose,
    endpoint::FirstHop,
    jaeger,
    marked::{self, Answer, Sent},
    options::Options,
    prometheus,
    step::{Step, StepResult},
};

/// What the live check found.
#[derive(Debug)]
pub struct Check {
    /// The mark of this run's telemetry.
    pub run: String,
    /// The trace of the marked span, if one was sent.
    pub trace_id: Option<String>,
    pub steps: Vec<Step>,
}

impl Check {
    pub fn has_failed(&self) -> bool {
        self.steps.iter().any(Step::has_failed)
    }
}

/// Runs the check.
pub fn run(config: &TelemetryConfig, options: &Options) -> Check {
    let run = uuid::Uuid::new_v4().simple().to_string()[..8].to_owned();
    let mut steps = Vec::new();
    let sent = match config.disabled.value {
        true => {
            let why = "telemetry is disabled";
            steps.push(Step::skipped("send", "OTEL_SDK_DISABLED", why));
            None
        }
        false => {
            let sent = send(config, &run, options, &mut steps);
            steps.extend(arrivals(sent.as_ref(), &run, options));
            sent
        }
    };
    Check {
        run,
        trace_id: sent.map(|sent| sent.trace_id),
        steps,
    }
}

/// Sends each signal that is exported by OTLP and whose first hop can be reached.
fn send(
    config: &TelemetryConfig,
    run: &str,
    options: &Options,
    steps: &mut Vec<Step>,
) -> Option<Sent> {
    let exporters = exporters(config);
    let (exported, others): (Vec<_>, Vec<_>) = exporters
        .iter()
        .partition(|(names, _)| names.iter().any(|name| name == "otlp"));
    let reachable = reachable(exported.iter().map(|(_, otlp)| *otlp), steps);
    let sent = match reachable.is_empty() {
        true => Ok(None),
        false => marked::send(config, &reachable, run, options.timeout).map(Some),
    };
    let sent = sent.unwrap_or_else(|error| {
        let (cause, remedy) = ("telemetry does not start", "correct the settings above");
        let failed = StepResult::failed(format!("{error:?}"), cause, remedy);
        steps.push(Step::time("send", "", || failed));
        None
    });
    if let Some(sent) = &sent {
        let answers = exported
            .iter()
            .filter_map(|(_, otlp)| answer(otlp, sent, options));
        steps.extend(answers);
    }
    steps.extend(others.iter().map(|(names, otlp)| {
        let why = match names.is_empty() {
            true => "not exported".to_owned(),
            false => format!("not exported by OTLP, but by {}", names.join(", ")),
        };
        Step::skipped(marked::name(otlp.signal), "", why)
    }));
    sent
}

/// Returns the names of each signal's exporters, with the settings of the one for OTLP.
fn exporters(config: &TelemetryConfig) -> [(Vec<String>, &OtlpConfig); 3] {
    fn names(exporters: &[impl ToString]) -> Vec<String> {
        exporters.iter().map(ToString::to_string).collect()
    }
    let (traces, metrics, logs) = (&config.traces, &config.metrics, &config.logs);
    [
        (names(&traces.exporters.value), &traces.otlp),
        (names(&metrics.exporters.value), &metrics.otlp),
        (names(&logs.exporters.value), &logs.otlp),
    ]
}

/// Tries each first hop once. Returns the signals whose first hop can be reached.
fn reachable<'config>(
    exported: impl Iterator<Item = &'config OtlpConfig>,
    steps: &mut Vec<Step>,
) -> Vec<Signal> {
    let mut tried: Vec<(FirstHop, bool)> = Vec::new();
    let mut reachable = Vec::new();
    for otlp in exported {
        let Some(hop) = FirstHop::of(otlp) else {
            continue;
        };
        let known = tried
            .iter()
            .find(|(known, _)| *known == hop)
            .map(|(_, ok)| *ok);
        let ok = known.unwrap_or_else(|| {
            let reached = hop.reach(otlp);
            let ok = !reached.iter().any(Step::has_failed);
            steps.extend(reached);
            tried.push((hop, ok));
            ok
        });
        if ok {
            reachable.push(otlp.signal);
        }
    }
    reachable
}

/// Returns how the receiver answered one signal; `None` if it was not sent.
fn answer(otlp: &OtlpConfig, sent: &Sent, options: &Options) -> Option<Step> {
    let result = match sent.answer(otlp.signal)? {
        Answer::Accepted => StepResult::Ok("accepted".to_owned()),
        Answer::Warned(message) => StepResult::Ok(format!("accepted, with a warning: {message}")),
        Answer::Rejected(rejection) => StepResult::failed(
            format!("{} items rejected: {}", rejection.items, rejection.reason),
            "the receiver accepted only a part of the request",
            "see the reason that it gives, and its log",
        ),
        Answer::Failed(reason) => diagnose(otlp, reason),
        Answer::Filtered => StepResult::Skipped(
            "RUST_LOG drops the marked log record; add rustok_telemetry_doctor=error to it"
                .to_owned(),
        ),
        Answer::None => StepResult::failed(
            format!("no answer within {} s", options.timeout.as_secs()),
            "the receiver hangs, or is not an OTLP receiver",
            format!("check which program listens at {}", otlp.shown_url()),
        ),
    };
    Some(Step {
        name: marked::name(otlp.signal),
        target: format!("{} ({})", otlp.shown_url(), otlp.protocol.value),
        result,
        elapsed: sent.elapsed,
    })
}

/// Looks for the marked span in Jaeger and for the marked counter in Prometheus.
fn arrivals(sent: Option<&Sent>, run: &str, options: &Options) -> Vec<Step> {
    let accepted = |signal| sent.filter(|sent| sent.is_accepted(signal));
    let mut steps = Vec::new();
    if let Some(url) = &options.jaeger {
        steps.push(match accepted(Signal::Traces) {
            Some(sent) => jaeger::arrival(url, &sent.trace_id, options),
            None => Step::skipped("jaeger", url.as_str(), "the span was not accepted"),
        });
    }
    if let Some(url) = &options.prometheus {
        steps.push(match accepted(Signal::Metrics) {
            Some(_) => prometheus::arrival(url, run, options),
            None => Step::skipped("prometheus", url.as_str(), "the counter was not accepted"),
        });
    }
    steps
}
