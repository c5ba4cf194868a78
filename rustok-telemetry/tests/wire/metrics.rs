//! Temporality.

use std::time::Duration;

use opentelemetry_proto::tonic::metrics::v1::{metric::Data, number_data_point::Value};
use opentelemetry_sdk::metrics::ManualReader;
use rustok_telemetry::metrics::{record_event_published, update_queue_depth};

use crate::{builder, receiver::Receiver, start, support};

const METRIC: &str = "rustok_event_bus_published_total";
const DELTA: i32 = 1;
const CUMULATIVE: i32 = 2;

/// What two exports say of a counter that is at 2, and then at 5: temporality and values.
fn two_exports(preference: &str) -> Vec<(i32, i64)> {
    let receiver = Receiver::start();
    let telemetry = start(&[
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "700"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            preference,
        ),
    ]);
    let record = |times| (0..times).for_each(|_| record_event_published("OrderPlaced", "acme"));
    record(2);
    receiver.wait_for(1);
    record(3);
    receiver.wait_for(2);
    let labels = r#"{event_type="OrderPlaced",tenant_id="acme"}"#;
    support::assert_samples(&support::text(), METRIC, &[(labels, "5")]);
    let _ = telemetry.shutdown();
    receiver
        .requests()
        .iter()
        .flat_map(|request| request.metrics())
        .filter(|metric| metric.name == METRIC)
        .filter_map(|metric| match metric.data {
            Some(Data::Sum(sum)) => {
                let point = sum.data_points.first()?;
                match point.value {
                    Some(Value::AsInt(value)) => Some((sum.aggregation_temporality, value)),
                    _ => None,
                }
            }
            _ => None,
        })
        .collect()
}

#[test_fork::test]
fn cumulative_counts_from_the_start() {
    let exports = two_exports("cumulative");
    assert_eq!(exports[..2], [(CUMULATIVE, 2), (CUMULATIVE, 5)]);
}

#[test_fork::test]
fn delta_counts_from_the_last_export_and_the_text_from_the_start() {
    let exports = two_exports("Delta");
    assert_eq!(exports, [(DELTA, 2), (DELTA, 3)]);
}

#[test_fork::test]
fn lowmemory_counts_what_is_added_from_the_last_export() {
    let exports = two_exports("lowmemory");
    assert_eq!(exports, [(DELTA, 2), (DELTA, 3)]);
}

/// The SDK stores the gauges for a reader of the service.
#[test_fork::test]
fn each_delta_export_has_the_gauges() {
    let receiver = Receiver::start();
    let telemetry = builder(&[
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
    ])
    .with_metric_reader(ManualReader::builder().build())
    .init()
    .expect("telemetry starts");
    update_queue_depth("in_memory", 7);
    for _ in 0..2 {
        let report = telemetry.force_flush(Duration::from_secs(20));
        assert!(report.is_complete(), "{report}");
    }
    for request in receiver.requests() {
        let metrics = request.metrics();
        let mut gauges = metrics.iter();
        let gauge = gauges.find(|metric| metric.name == "rustok_event_bus_queue_depth");
        let Some(Data::Gauge(gauge)) = gauge.and_then(|metric| metric.data.clone()) else {
            panic!("no gauge: {metrics:?}");
        };
        assert_eq!(gauge.data_points[0].value, Some(Value::AsInt(7)));
    }
    assert_eq!(receiver.requests().len(), 2);
    let _ = telemetry.shutdown();
}
