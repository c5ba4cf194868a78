//! Timeouts: 0 is none.

use std::time::{Duration, Instant};

use rustok_telemetry::ShutdownReport;

use crate::{
    receiver::{Behaviour, Receiver},
    start,
};

/// A backend that takes its time.
fn slow() -> Receiver {
    let delay = Duration::from_millis(1500);
    Receiver::with(Behaviour {
        delay,
        ..Behaviour::default()
    })
}

fn send_one(receiver: &Receiver, variables: &[(&str, &str)]) -> (ShutdownReport, Duration) {
    let endpoint = receiver.plain();
    let mut all = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    all.extend_from_slice(variables);
    let telemetry = start(&all);
    drop(tracing::info_span!("work"));
    let started = Instant::now();
    (telemetry.shutdown(), started.elapsed())
}

fn gives_up(variables: &[(&str, &str)], why: &str) {
    let (report, took) = send_one(&slow(), variables);
    assert_eq!(report.lost_spans, 1, "{report}");
    let error = report.traces_error.expect("a reason");
    assert!(error.contains(why), "{error}");
    assert!(took < Duration::from_millis(1400), "{took:?}");
}

fn waits(variables: &[(&str, &str)]) {
    let receiver = slow();
    let (report, _) = send_one(&receiver, variables);
    assert!(report.is_complete(), "{report}");
    assert_eq!(receiver.spans().len(), 1);
}

#[test_fork::test]
fn an_export_by_http_is_given_up_after_its_time() {
    gives_up(
        &[("OTEL_EXPORTER_OTLP_TIMEOUT", "200")],
        "no answer within 200 ms",
    );
}

#[test_fork::test]
fn an_export_by_grpc_is_given_up_after_its_time() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "200"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];
    gives_up(&variables, "");
}

#[test_fork::test]
fn the_batch_processors_time_bounds_an_export_too() {
    gives_up(
        &[("OTEL_BSP_EXPORT_TIMEOUT", "200")],
        "no answer within 200 ms",
    );
}

#[test_fork::test]
fn no_time_is_no_limit_by_http() {
    waits(&[
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
    ]);
}

#[test_fork::test]
fn no_time_is_no_limit_by_grpc() {
    waits(&[
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ]);
}

#[test_fork::test]
fn metrics_and_log_records_have_times_of_their_own() {
    let receiver = slow();
    let endpoint = receiver.plain();
    let telemetry = start(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "200"),
        ("OTEL_BLRP_EXPORT_TIMEOUT", "300"),
    ]);
    tracing::info!("done");
    let report = telemetry.shutdown();
    let (metrics, logs) = (report.metrics_error, report.logs_error);
    assert_eq!(metrics.as_deref(), Some("no answer within 200 ms"));
    assert_eq!(logs.as_deref(), Some("no answer within 300 ms"));
}
