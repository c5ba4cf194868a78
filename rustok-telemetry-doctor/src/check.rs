//! The live check: from this process to the Collector, and on to Jaeger and Prometheus, hop by hop.

use rustok_telemetry::config::{OtlpConfig, Signal, TelemetryConfig};

use crate::{
    arrival,
    diagnosis::diagnose,
    endpoint::FirstHop,
    marked::{self, Sent, Taken},
    options::Options,
    prometheus,
    step::{Step, StepResult},
};

/// What the live check saw.
#[derive(Debug)]
pub struct Check {
    /// What marks the telemetry of this run.
    pub run: String,
    /// The marked span's trace, if one was sent.
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
    if *config.disabled {
        let why = "telemetry is switched off: nothing is sent";
        steps.push(Step::skipped("send", "OTEL_SDK_DISABLED", why));
        return Check {
            run,
            trace_id: None,
            steps,
        };
    }
    let (exported, kept): (Vec<_>, Vec<_>) =
        signals(config).into_iter().partition(Exported::is_by_otlp);
    let reachable = reachable(&exported, &mut steps);
    let sent = match reachable.is_empty() {
        true => Ok(None),
        false => marked::send(config, &reachable, &run, options.timeout).map(Some),
    };
    match &sent {
        Ok(Some(sent)) => steps.extend(
            exported
                .iter()
                .filter_map(|one| taken(one.otlp, sent, options)),
        ),
        Ok(None) => {}
        Err(error) => steps.push(Step::time("send", "", || {
            StepResult::failed(
                error,
                "telemetry cannot be started",
                "see the settings above",
            )
        })),
    }
    steps.extend(kept.iter().map(|one| {
        let why = format!("not sent by OTLP: the exporter is {}", one.exporter);
        Step::skipped(marked::name(one.signal), "", why)
    }));
    let sent = sent.ok().flatten();
    steps.extend(arrivals(sent.as_ref(), &run, options));
    Check {
        run,
        trace_id: sent.map(|sent| sent.trace_id),
        steps,
    }
}

/// A signal, its exporter and how it is sent.
struct Exported<'config> {
    signal: Signal,
    exporter: String,
    otlp: &'config OtlpConfig,
}

impl<'config> Exported<'config> {
    fn new(exporters: &[impl ToString], otlp: &'config OtlpConfig) -> Self {
        let names: Vec<_> = exporters.iter().map(ToString::to_string).collect();
        let exporter = match names.is_empty() {
            true => "none".to_owned(),
            false => names.join(","),
        };
        Self {
            signal: otlp.signal,
            exporter,
            otlp,
        }
    }

    /// There may be several exporters.
    fn is_by_otlp(&self) -> bool {
        self.exporter.split(',').any(|name| name.trim() == "otlp")
    }
}

fn signals(config: &TelemetryConfig) -> [Exported<'_>; 3] {
    let (traces, metrics, logs) = (&config.traces, &config.metrics, &config.logs);
    [
        Exported::new(&traces.exporters, &traces.otlp),
        Exported::new(&metrics.exporters, &metrics.otlp),
        Exported::new(&logs.exporters, &logs.otlp),
    ]
}

/// Tries each first hop once. Returns the signals whose first hop can be reached.
fn reachable(exported: &[Exported<'_>], steps: &mut Vec<Step>) -> Vec<Signal> {
    let mut tried: Vec<(FirstHop, bool)> = Vec::new();
    let mut reachable = Vec::new();
    for Exported { signal, otlp, .. } in exported {
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
            reachable.push(*signal);
        }
    }
    reachable
}

/// How the Collector took one signal; `None` if it was not sent.
fn taken(otlp: &OtlpConfig, sent: &Sent, options: &Options) -> Option<Step> {
    let taken = sent.taken(otlp.signal)?;
    let target = format!("{} ({})", otlp.shown_url(), *otlp.protocol);
    let result = match taken {
        Taken::Whole => StepResult::Ok("taken".to_owned()),
        Taken::InPart(rejection) => StepResult::failed(
            format!("{} refused: {}", rejection.items, rejection.reason),
            "the receiver took the request, and not all that was in it",
            "see what it says, and its log",
        ),
        Taken::Not(reason) => diagnose(otlp, reason),
        Taken::Unanswered => StepResult::failed(
            format!("no answer within {} s", options.timeout.as_secs()),
            "the receiver hangs, or another program listens there",
            format!("check what listens at {}", otlp.shown_url()),
        ),
    };
    Some(Step {
        name: marked::name(otlp.signal),
        target,
        result,
        elapsed: sent.elapsed,
    })
}

fn arrivals(sent: Option<&Sent>, run: &str, options: &Options) -> Vec<Step> {
    let was_taken = |signal| {
        sent.and_then(|sent| sent.taken(signal))
            .is_some_and(|taken| matches!(taken, Taken::Whole))
    };
    let mut steps = Vec::new();
    if let Some(url) = &options.jaeger {
        steps.push(match sent.filter(|_| was_taken(Signal::Traces)) {
            Some(sent) => arrival::in_jaeger(url, &sent.trace_id, options),
            None => Step::skipped("jaeger", url.as_str(), "no span was taken before"),
        });
    }
    if let Some(url) = &options.prometheus {
        steps.push(match was_taken(Signal::Metrics) {
            true => prometheus::arrival(url, run, options),
            false => Step::skipped("prometheus", url.as_str(), "no metric was taken before"),
        });
    }
    steps
}
