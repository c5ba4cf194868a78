//! What is wrong with the telemetry, and what to do about it.

use serde_json::{Value as Json, json};

use super::state::State;
use crate::{
    Health, Stage,
    health::{QueueHealth, SignalHealth},
};

/// Returns the problems, errors first.
pub(super) fn problems(state: &State, health: &Health) -> Vec<Json> {
    let mut found = Found::default();
    found.of_stage(health.stage);
    for signal in &health.signals {
        found.of_signal(signal);
    }
    found.of_records(health);
    found.of_settings(state, health);
    found.of_breakers(state);
    found.of_console(state);
    [found.errors, found.warnings].concat()
}

#[derive(Default)]
struct Found {
    errors: Vec<Json>,
    warnings: Vec<Json>,
}

impl Found {
    fn error(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        let (what, remedy) = (what.into(), remedy.into());
        let problem = json!({"severity": "error", "what": what, "remedy": remedy});
        self.errors.push(problem);
    }

    fn warning(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        let (what, remedy) = (what.into(), remedy.into());
        let problem = json!({"severity": "warning", "what": what, "remedy": remedy});
        self.warnings.push(problem);
    }

    fn of_stage(&mut self, stage: Stage) {
        match stage {
            Stage::Disabled => self.warning(
                "telemetry is disabled by OTEL_SDK_DISABLED=true: nothing is recorded, and nothing is kept here",
                "remove OTEL_SDK_DISABLED, or set it to false, and restart the service",
            ),
            Stage::Stopping | Stage::ShutDown => self.warning(
                "telemetry has been shut down: nothing more is recorded",
                "keep the guard that init() returns until the service ends",
            ),
            Stage::NotStarted | Stage::Running => {}
        }
    }

    fn of_signal(&mut self, signal: &SignalHealth) {
        let name = signal.name;
        if let Some(failure) = signal.last_failure.as_ref().filter(|_| signal.failing) {
            let endpoint = signal.endpoint.as_deref().unwrap_or("its endpoint");
            self.error(
                format!("exporting {name} to {endpoint} fails: {}", failure.reason),
                remedy(name, endpoint, &failure.reason),
            );
        }
        if let Some(rejection) = &signal.last_rejection {
            self.warning(
                format!(
                    "the receiver rejected {} items of the {name}: {}",
                    rejection.items, rejection.reason
                ),
                "see the receiver's log for the items that it does not accept",
            );
        }
        if let Some(queue) = &signal.queue {
            self.of_queue(name, queue);
        }
    }

    fn of_queue(&mut self, name: &str, queue: &QueueHealth) {
        let (items, variables) = match name {
            "logs" => ("log records", "OTEL_BLRP"),
            _ => ("spans", "OTEL_BSP"),
        };
        let size = format!(
            "raise {variables}_MAX_QUEUE_SIZE, lower {variables}_SCHEDULE_DELAY, or see why the receiver is slow"
        );
        if queue.capacity > 0 && queue.length * 5 >= queue.capacity * 4 {
            let (length, capacity) = (queue.length, queue.capacity);
            self.warning(
                format!("the queue of {items} has {length} of {capacity}"),
                size.clone(),
            );
        }
        for (reason, count) in queue.lost.iter().filter(|(_, count)| *count > 0) {
            let remedy = match *reason {
                "queue_full" => size.clone(),
                "export_failed" => {
                    "correct the failing export, or start a Collector at the endpoint".to_owned()
                }
                _ => "shut telemetry down after everything that logs has ended".to_owned(),
            };
            let reason = reason.replace('_', " ");
            self.warning(format!("{count} {items} were dropped: {reason}"), remedy);
        }
    }

    fn of_records(&mut self, health: &Health) {
        for (reason, count) in health.records_lost.by_reason() {
            let remedy = match reason {
                _ if count == 0 => continue,
                "before_init" => "call rustok_telemetry::init() before anything is recorded",
                "after_shutdown" => "shut telemetry down after everything that records has ended",
                "not_finite" => "do not record NaN or infinite values; look for a division by zero",
                _ => "do not record negative values to counters and histograms",
            };
            let reason = reason.replace('_', " ");
            self.warning(
                format!("{count} metric records were dropped: {reason}"),
                remedy,
            );
        }
        for folded in &health.labels_folded {
            self.warning(
                format!(
                    "{} records of {} have `other` as their {}: its budget or the metric's limit is reached",
                    folded.records, folded.metric, folded.label
                ),
                "record fewer distinct values, or raise `budget` of the label or `series` of the metric",
            );
        }
    }

    fn of_settings(&mut self, state: &State, health: &Health) {
        for diagnostic in &health.diagnostics {
            self.warning(
                format!("ignored setting: {diagnostic}"),
                "correct it; with RUSTOK_TELEMETRY_STRICT=true it would be an error at the start",
            );
        }
        for warning in &state.report.warnings {
            self.warning(
                warning.as_str(),
                "change the setting if this is not intended",
            );
        }
    }

    fn of_breakers(&mut self, state: &State) {
        let history = state.history();
        for (labels, value) in history.current("rustok_circuit_breaker_state") {
            let service = labels.iter().find(|(name, _)| *name == "service");
            let service = service.map_or("a service", |(_, service)| service);
            if value == 1.0 {
                self.error(
                    format!("the circuit breaker of {service} is open: calls are rejected"),
                    format!(
                        "see why {service} fails; the breaker closes by itself when it works again"
                    ),
                );
            }
        }
    }

    fn of_console(&mut self, state: &State) {
        if state.settings.allow_remote && state.settings.token.is_none() {
            self.warning(
                "other machines may open this console without a token",
                "set Console::bearer_token, or remove Console::allow_remote",
            );
        }
        let not_kept = state.history().series_not_kept();
        if not_kept > 0 {
            self.warning(
                format!("the console has no room for {not_kept} series"),
                "raise Console::memory_limit",
            );
        }
    }
}

/// Returns what to do about a failed export.
fn remedy(signal: &str, endpoint: &str, reason: &str) -> String {
    let has = |texts: &[&str]| texts.iter().any(|text| reason.contains(text));
    let setting = signal.to_ascii_uppercase();
    if has(&["refused", "reset", "closed"]) {
        format!("start a Collector at {endpoint}, or set OTEL_{setting}_EXPORTER=none")
    } else if has(&["401", "403", "Unauthenticated", "PermissionDenied"]) {
        "check the credentials in OTEL_EXPORTER_OTLP_HEADERS".to_owned()
    } else if has(&["404", "405", "Unimplemented", "NotFound"]) {
        "check path and protocol: 4317 is the port for grpc, 4318 the one for http/protobuf"
            .to_owned()
    } else if has(&["timed out", "408", "DeadlineExceeded"]) {
        "see the receiver's log, or raise OTEL_EXPORTER_OTLP_TIMEOUT".to_owned()
    } else if has(&["certificate", "tls", "TLS"]) {
        "check OTEL_EXPORTER_OTLP_CERTIFICATE and the name in the endpoint".to_owned()
    } else {
        "run rustok-telemetry-doctor in the environment of the service: it finds the hop that fails"
            .to_owned()
    }
}
