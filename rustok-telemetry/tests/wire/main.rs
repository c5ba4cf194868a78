//! What really leaves, for each variable: seen by a receiver.
#![cfg(all(
    feature = "axum",
    feature = "grpc",
    feature = "http",
    feature = "tls",
    feature = "zstd"
))]

mod batches;
mod cases_of_tracing_opentelemetry;
mod certificates;
mod compression;
mod console;
mod ended_state;
mod endpoints;
mod enriched;
mod exemplars;
mod flush;
mod hints;
mod hostile;
mod limits;
mod metrics;
#[cfg(feature = "testing")]
mod names;
mod outage;
mod own_metrics;
mod prometheus;
mod proxy;
mod random_spans;
mod receiver;
mod retries;
mod signals;
mod sizes;
mod span_paths;
#[cfg(all(feature = "spool", unix))]
mod spool;
#[cfg(all(feature = "spool", unix))]
mod spool_processes;
#[path = "../support/mod.rs"]
mod support;
mod swallowed;
mod timeouts;
mod tls;
mod unique;
mod values;

use std::collections::BTreeMap;

use rustok_telemetry::{Builder, Telemetry, config::TelemetryConfig};
use support::in_a_process;

/// A builder for these variables. Only traces are sent unless they say otherwise.
fn builder(variables: &[(&str, &str)]) -> Builder {
    let mut all = BTreeMap::from([
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_SERVICE_NAME", "shop"),
    ]);
    all.extend(variables.iter().copied());
    let config = TelemetryConfig::from_vars(all).expect("a valid configuration");
    rustok_telemetry::builder().config(config)
}

fn start(variables: &[(&str, &str)]) -> Telemetry {
    builder(variables).init().expect("telemetry starts")
}

/// A meter whose instruments are not in the catalogue.
#[expect(clippy::disallowed_methods, reason = "as another library has it")]
fn foreign_meter() -> opentelemetry::metrics::Meter {
    opentelemetry::global::meter("foreign")
}
