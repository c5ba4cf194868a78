//! Exports that are larger than what a receiver takes in one request.

use std::{collections::BTreeMap, time::Duration};

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::metric::Data,
};
use rustok_telemetry::Telemetry;

use crate::{
    foreign_meter,
    receiver::{Behaviour, Received, Receiver},
    start,
};

#[rustok_telemetry::metrics(namespace = "sizes")]
mod declared {
    /// Time that each of many routes took.
    #[histogram(name = "route_seconds", series = 40_000, boundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0])]
    pub(super) fn record_route(
        #[label(budget = 200)] host: &str,
        #[label(budget = 200)] route: &str,
        seconds: f64,
    );
}

/// What a Collector takes over gRPC, unless it is configured otherwise.
const LIMIT: usize = 4 << 20;

fn limited() -> Receiver {
    Receiver::with(Behaviour {
        limit: Some(LIMIT),
        ..Behaviour::default()
    })
}

fn start_with(receiver: &Receiver, protocol: &str, more: &[(&str, &str)]) -> Telemetry {
    let endpoint = receiver.plain();
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "3600000"),
    ];
    start(&[&variables, more].concat())
}

const METRICS: [(&str, &str); 2] = [
    ("OTEL_TRACES_EXPORTER", "none"),
    ("OTEL_METRICS_EXPORTER", "otlp"),
];

const LOGS: [(&str, &str); 2] = [
    ("OTEL_TRACES_EXPORTER", "none"),
    ("OTEL_LOGS_EXPORTER", "otlp"),
];

/// 19,000 series of one histogram.
fn record_routes() {
    for host in 0..100 {
        for route in 0..190 {
            let (host, route) = (format!("host-{host}"), format!("/api/route/{route}"));
            declared::record_route(&host, &route, 0.3);
        }
    }
}

/// The series of a metric that came, each with how often it came.
fn series(requests: &[Received], name: &str) -> BTreeMap<String, usize> {
    let mut series = BTreeMap::new();
    let mut count = |attributes: &[KeyValue]| {
        *series.entry(format!("{attributes:?}")).or_default() += 1;
    };
    for metric in requests.iter().flat_map(Received::metrics) {
        match metric.data {
            _ if metric.name != name => {}
            Some(Data::Histogram(of)) => of.data_points.iter().for_each(|it| count(&it.attributes)),
            Some(Data::Sum(of)) => of.data_points.iter().for_each(|it| count(&it.attributes)),
            other => panic!("{other:?}"),
        }
    }
    series
}

/// Each series comes once, in requests that the receiver takes, with its metric, scope and resource around it.
fn many_series(protocol: &str, more: &[(&str, &str)]) {
    let receiver = limited();
    let telemetry = start_with(&receiver, protocol, &[&METRICS, more].concat());
    record_routes();
    let report = telemetry.shutdown_within(Duration::from_secs(60));
    assert!(report.is_complete(), "{report}");
    let requests = receiver.requests();
    assert!(requests.len() > 1, "{}", requests.len());
    let series = series(&requests, "sizes_route_seconds");
    assert_eq!(series.len(), 19_000);
    assert!(series.values().all(|times| *times == 1), "twice");
    for request in &requests {
        for resource in request.resources_of_metrics() {
            let attributes = resource.resource.expect("a resource").attributes;
            assert!(
                attributes
                    .iter()
                    .any(|attribute| attribute.key == "service.name")
            );
            for scope in resource.scope_metrics {
                assert!(!scope.scope.expect("a scope").name.is_empty());
                for metric in scope.metrics {
                    assert!(!metric.name.is_empty());
                }
            }
        }
    }
    let parts = requests.iter().flat_map(Received::metrics);
    for part in parts.filter(|metric| metric.name == "sizes_route_seconds") {
        assert_eq!(
            (part.unit.as_str(), part.description.is_empty()),
            ("s", false)
        );
        let Some(Data::Histogram(histogram)) = part.data else {
            panic!("no histogram");
        };
        let delta = more.iter().any(|(_, value)| *value == "delta");
        assert_eq!(histogram.aggregation_temporality, if delta { 1 } else { 2 });
    }
    let metrics = rustok_telemetry::health().signals[1].clone();
    assert_eq!((metrics.successes, metrics.failures), (1, 0), "one export");
}

#[test_fork::test]
fn a_histogram_of_19000_series_arrives_by_grpc() {
    many_series("grpc", &[]);
}

#[test_fork::test]
fn a_histogram_of_19000_series_arrives_by_http() {
    many_series("http/protobuf", &[]);
}

#[test_fork::test]
fn a_histogram_of_19000_series_arrives_by_grpc_with_gzip() {
    many_series("grpc", &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]);
}

#[test_fork::test]
fn a_histogram_of_19000_series_arrives_by_http_with_gzip() {
    many_series(
        "http/protobuf",
        &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")],
    );
}

#[test_fork::test]
fn a_histogram_of_19000_series_arrives_once_with_delta_temporality() {
    const DELTA: (&str, &str) = ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta");
    many_series("grpc", &[DELTA]);
}

/// The metrics of another library are split like ours.
#[test_fork::test]
fn metrics_of_the_sdk_are_split_too() {
    let receiver = limited();
    let telemetry = start_with(&receiver, "grpc", &METRICS);
    let counter = foreign_meter().u64_counter("foreign").build();
    let long = "x".repeat(5_000);
    for number in 0..1_900 {
        let value = format!("{long}{number}");
        counter.add(1, &[opentelemetry::KeyValue::new("key", value)]);
    }
    let report = telemetry.shutdown_within(Duration::from_secs(60));
    assert!(report.is_complete(), "{report}");
    let requests = receiver.requests();
    assert!(requests.len() >= 3, "{}", requests.len());
    let series = series(&requests, "foreign");
    assert_eq!(series.len(), 1_900);
    assert!(series.values().all(|times| *times == 1), "twice");
}

fn large_spans(protocol: &str, more: &[(&str, &str)]) {
    let receiver = limited();
    let telemetry = start_with(&receiver, protocol, more);
    let text = "x".repeat(100_000);
    for number in 0..100 {
        let text = text.as_str();
        drop(tracing::info_span!("work", number, text));
    }
    let report = telemetry.shutdown_within(Duration::from_secs(60));
    assert!(report.is_complete(), "{report}");
    assert!(receiver.requests().len() >= 3);
    assert_eq!(receiver.spans().len(), 100);
    let traces = rustok_telemetry::health().signals[0].clone();
    assert_eq!((traces.successes, traces.failures), (1, 0), "one export");
    assert_eq!(
        receiver.requests()[2].resource().attributes.len(),
        receiver.requests()[0].resource().attributes.len()
    );
}

#[test_fork::test]
fn large_spans_arrive_by_grpc() {
    large_spans("grpc", &[]);
}

#[test_fork::test]
fn large_spans_arrive_by_http_with_gzip() {
    large_spans(
        "http/protobuf",
        &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")],
    );
}

fn long_log_records(protocol: &str) {
    let receiver = limited();
    let telemetry = start_with(&receiver, protocol, &LOGS);
    let text = "x".repeat(100_000);
    for number in 0..100 {
        tracing::info!("{number} {text}");
    }
    let report = telemetry.shutdown_within(Duration::from_secs(60));
    assert!(report.is_complete(), "{report}");
    let requests = receiver.requests();
    assert!(requests.len() >= 3);
    let records = requests.iter().flat_map(Received::log_records);
    let bodies = records.map(|record| record.body.expect("a body").value);
    let numbers = bodies.map(|body| match body {
        Some(Value::StringValue(text)) => text.split(' ').next().map(str::to_owned),
        other => panic!("{other:?}"),
    });
    let mut numbers: Vec<u32> = numbers
        .map(|it| it.expect("one").parse().expect("a number"))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, Vec::from_iter(0..100));
}

#[test_fork::test]
fn long_log_records_arrive_by_grpc() {
    long_log_records("grpc");
}

#[test_fork::test]
fn long_log_records_arrive_by_http() {
    long_log_records("http/protobuf");
}

/// One item that no request can hold is dropped, with its name and size; all else arrives.
#[test_fork::test]
fn a_span_larger_than_the_limit_is_dropped_and_named() {
    let receiver = limited();
    let telemetry = start_with(&receiver, "grpc", &[]);
    let text = "x".repeat(5 << 20);
    drop(tracing::info_span!("small"));
    drop(tracing::info_span!("huge work", text = text.as_str()));
    drop(tracing::info_span!("small"));
    let report = telemetry.shutdown_within(Duration::from_secs(60));
    assert_eq!(report.lost_spans, 1, "{report}");
    let error = report.traces_error.as_deref().expect("a reason");
    assert!(
        error.contains("span \"huge work\"") && error.contains("524"),
        "{error}"
    );
    assert!(error.contains("4194304"), "{error}");
    let names = receiver.spans().into_iter().map(|span| span.name);
    assert_eq!(names.collect::<Vec<_>>(), ["small", "small"]);
    let traces = rustok_telemetry::health().signals[0].clone();
    let queue = traces.queue.expect("a queue");
    assert_eq!(queue.exported, 2);
}

#[test_fork::test]
fn a_log_record_larger_than_the_limit_is_dropped_and_named() {
    let receiver = limited();
    let telemetry = start_with(&receiver, "http/protobuf", &LOGS);
    let text = "x".repeat(5 << 20);
    tracing::info!("small");
    tracing::info!("{text}");
    let report = telemetry.shutdown_within(Duration::from_secs(60));
    assert_eq!(report.lost_log_records, 1, "{report}");
    let error = report.logs_error.as_deref().expect("a reason");
    assert!(error.contains("log record of \"wire::sizes\""), "{error}");
    assert_eq!(receiver.requests()[0].log_records().len(), 1);
}

#[test_fork::test]
fn a_data_point_larger_than_the_limit_is_dropped_and_named() {
    let receiver = limited();
    let telemetry = start_with(&receiver, "grpc", &METRICS);
    let counter = foreign_meter().u64_counter("foreign").build();
    for value in ["x".repeat(5 << 20), "small".to_owned()] {
        counter.add(1, &[opentelemetry::KeyValue::new("key", value)]);
    }
    let report = telemetry.shutdown_within(Duration::from_secs(60));
    let error = report.metrics_error.as_deref().expect("a reason");
    assert!(error.contains("metric \"foreign\""), "{error}");
    let requests = receiver.requests();
    assert_eq!(series(&requests, "foreign").len(), 1);
}

/// What the receiver refuses of an export does not keep the rest from it.
fn one_part_is_refused(protocol: &str) {
    let receiver = Receiver::with(Behaviour {
        limit: Some(LIMIT),
        refused: Some(|request| request.spans().iter().any(|span| span.name == "refused")),
        ..Behaviour::default()
    });
    let telemetry = start_with(&receiver, protocol, &[]);
    let huge = "x".repeat(5 << 20);
    drop(tracing::info_span!("huge", text = huge.as_str()));
    let text = "x".repeat(1_500_000);
    for number in 0..10 {
        let text = text.as_str();
        match number {
            0 => drop(tracing::info_span!("refused", text)),
            _ => drop(tracing::info_span!("work", text)),
        }
    }
    let report = telemetry.shutdown_within(Duration::from_secs(60));
    // Two fit into a request; the huge one into none.
    assert_eq!(report.lost_spans, 3, "{report}");
    assert_eq!(receiver.spans().len(), 8);
    let error = report.traces_error.as_deref().expect("a reason");
    assert!(
        error.contains("1 of 5 requests") && error.contains("; span \"huge\""),
        "{error}"
    );
    let traces = rustok_telemetry::health().signals[0].clone();
    assert_eq!((traces.successes, traces.failures), (0, 1), "{traces:?}");
}

#[test_fork::test]
fn a_part_that_is_refused_by_grpc_does_not_stop_the_others() {
    one_part_is_refused("grpc");
}

#[test_fork::test]
fn a_part_that_is_refused_by_http_does_not_stop_the_others() {
    one_part_is_refused("http/protobuf");
}
