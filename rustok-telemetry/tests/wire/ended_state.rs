//! Gauges end with the process: the last export marks them, and leaves counters as they are.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::{NumberDataPoint, metric::Data};
use rustok_telemetry::metrics;

use crate::{foreign_meter, receiver::Receiver, start};

const NO_RECORDED_VALUE: u32 = 1;

/// Whether each series of these metrics has a value, in the last of two exports.
fn last_export(protocol: &str, temporality: &str) -> BTreeMap<String, Vec<bool>> {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1500"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            temporality,
        ),
    ]);
    let record = || {
        metrics::update_circuit_breaker_state("inventory", 1);
        metrics::update_circuit_breaker_state("redis", 0);
        metrics::add_http_active_connections(1);
        metrics::record_circuit_breaker_call("inventory", "rejected");
    };
    record();
    let foreign = foreign_meter().u64_gauge("foreign").build();
    foreign.record(2, &[]);
    receiver.wait_for(1);
    record();
    foreign.record(2, &[]);
    // The result of a job that ends now.
    metrics::update_cache_size("result", 7);
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    let requests = receiver.requests();
    let mut last = BTreeMap::<_, Vec<_>>::new();
    for metric in requests.last().expect("an export").metrics() {
        let points = match metric.data {
            Some(Data::Gauge(gauge)) => gauge.data_points,
            Some(Data::Sum(sum)) => sum.data_points,
            _ => continue,
        };
        let of_metric = last.entry(metric.name).or_default();
        of_metric.extend(points.iter().map(has_value));
    }
    last
}

fn has_value(point: &NumberDataPoint) -> bool {
    let is_marked = point.flags == NO_RECORDED_VALUE;
    assert_eq!(is_marked, point.value.is_none(), "{point:?}");
    !is_marked
}

fn check(protocol: &str, temporality: &str) {
    let last = last_export(protocol, temporality);
    let expected = [
        ("rustok_circuit_breaker_state", vec![false, false]),
        ("rustok_http_active_connections", vec![false]),
        ("rustok_telemetry_span_queue_capacity", vec![false]),
        ("foreign", vec![false]),
        ("rustok_cache_size", vec![true]),
        ("rustok_circuit_breaker_calls_total", vec![true]),
        ("rustok_telemetry_spans_lost_total", vec![true, true, true]),
    ];
    for (name, values) in expected {
        assert_eq!(last[name], values, "{name}");
    }
}

#[test_fork::test]
fn gauges_end_with_the_process_by_http() {
    check("http/protobuf", "cumulative");
}

#[test_fork::test]
fn gauges_end_with_the_process_by_grpc() {
    check("grpc", "cumulative");
}

#[test_fork::test]
fn gauges_end_with_the_process_with_delta() {
    check("http/protobuf", "delta");
}
