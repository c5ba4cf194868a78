//! An application that sends telemetry.

use rustok_telemetry::{ShutdownReport, config::TelemetryConfig};

/// Sends a span, a log record that says `message`, and metrics, if `variables` do not turn them off.
pub(crate) fn send(
    endpoint: &str,
    protocol: &str,
    message: &str,
    variables: &[(&str, &str)],
) -> ShutdownReport {
    let mut all = vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "5000"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_SERVICE_NAME", "shop"),
    ];
    all.extend_from_slice(variables);
    let config = TelemetryConfig::from_vars(all).expect("a valid configuration");
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts");
    tracing::info_span!("work").in_scope(|| tracing::info!("{message}"));
    telemetry.shutdown()
}
