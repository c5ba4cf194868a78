//! Compression, of both protocols.

use crate::{in_a_process, receiver::Receiver, start};

fn check(protocol: &str, compression: &str) {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "none"),
    ]);
    for _ in 0..100 {
        drop(tracing::info_span!("work"));
    }
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    let traces = receiver.only("trace");
    assert_eq!(traces.compression.as_deref(), Some(compression));
    assert_eq!(traces.spans().len(), 100);
    assert_eq!(receiver.only("metrics").compression, None);
}

#[test_fork::test]
fn gzip_by_http() {
    check("http/protobuf", "gzip");
}

#[test_fork::test]
fn gzip_by_grpc() {
    check("grpc", "gzip");
}

#[test_fork::test]
fn zstd_by_http() {
    check("http/protobuf", "zstd");
}

#[test_fork::test]
fn zstd_by_grpc() {
    check("grpc", "zstd");
}

#[test]
fn none_in_code_wins_over_gzip_in_the_environment() {
    let test = "compression::none_in_code_wins_over_gzip_in_the_environment";
    in_a_process(test, &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")], || {
        let receiver = Receiver::start();
        let telemetry = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain())]);
        drop(tracing::info_span!("work"));
        assert!(telemetry.shutdown().is_complete());
        assert_eq!(receiver.only("trace").compression, None);
    });
}
