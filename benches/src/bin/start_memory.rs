//! What telemetry allocates at the start, with the SDK's own catalogue and both outlets on.
#![allow(clippy::print_stdout, reason = "the program speaks to a terminal")]

use allocation_counter::measure;
use rustok_telemetry::{config::TelemetryConfig, metrics};

fn main() {
    // Nothing is sent before the first interval has passed, so nobody needs to listen.
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ];
    let config = TelemetryConfig::from_vars(variables).expect("a valid configuration");
    let start = || {
        std::mem::forget(
            rustok_telemetry::builder()
                .config(config)
                .init()
                .expect("it starts"),
        );
    };
    let kilobytes = measure(start).bytes_current as f64 / 1e3;
    let (metrics, limits) = (
        metrics::catalogue().len(),
        metrics::catalogue()
            .iter()
            .map(|one| one.series_limit())
            .sum::<usize>(),
    );
    println!(
        "\nMemory at the start, both outlets on, {metrics} metrics that may have {limits} series: {kilobytes:.0} kB."
    );
}
