//! One part that panics or hangs stops no other, and what telemetry does at each event in the life of its process.
#![cfg(all(
    feature = "axum",
    feature = "console",
    feature = "grpc",
    feature = "http",
    feature = "prometheus-bridge",
    target_os = "linux"
))]

mod callbacks;
mod locks;
mod process;
#[allow(dead_code, reason = "these tests use a part")]
#[path = "../wire/receiver.rs"]
mod receiver;
mod runtimes;
#[path = "../support/mod.rs"]
mod support;
mod threads;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use receiver::Receiver;
use rustok_telemetry::Builder;
use support::with_variables;

/// A builder that sends these signals to the receiver.
fn exporting(receiver: &Receiver, variables: &[(&str, &str)]) -> Builder {
    let endpoint = receiver.plain();
    let mut all = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
    ];
    all.extend(variables);
    with_variables(&all)
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(30), "{what}");
        sleep(Duration::from_millis(20));
    }
}
