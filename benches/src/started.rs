//! The SDK as it is measured.

use rustok_telemetry::{Telemetry, config::TelemetryConfig};

use crate::collector::Collector;

/// Starts the SDK with the text endpoint, and OTLP if there is a Collector.
pub(crate) fn start_telemetry(collector: Option<&Collector>, exemplar_filter: &str) -> Telemetry {
    let endpoint = collector.map(Collector::endpoint).unwrap_or_default();
    let mut variables = vec![
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_SERVICE_NAME", "benchmarks"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", exemplar_filter),
    ];
    match collector {
        Some(_) => variables.extend([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ]),
        None => variables.push(("OTEL_METRICS_EXPORTER", "prometheus")),
    }
    let config = TelemetryConfig::from_vars(variables).expect("a valid configuration");
    rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts")
}
