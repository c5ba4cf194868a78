//! Metrics of the `metrics` crate, of registries of the `prometheus` crate and of OpenTelemetry's conventions are in one
//! text and one export with those of the catalogue.
#![cfg(all(
    feature = "axum",
    feature = "metrics-facade",
    feature = "prometheus-bridge",
    feature = "reqwest-middleware"
))]

mod conventions;
mod facade;
#[allow(dead_code, reason = "these tests use a part")]
#[path = "../wire/receiver.rs"]
mod receiver;
mod registries;
#[path = "../support/mod.rs"]
mod support;

use std::{collections::BTreeMap, time::Duration};

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point},
};
use opentelemetry_sdk::{
    metrics::{InMemoryMetricExporter, SdkMeterProvider},
    trace::SdkTracerProvider,
};
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};
use receiver::{Received, Receiver};
use rustok_telemetry::{Builder, Telemetry};
use support::{text, valid_text::assert_valid, with_variables};

#[rustok_telemetry::metrics(namespace = "own")]
mod own {
    /// Things that happened.
    #[counter(name = "things_total")]
    pub fn record_thing(kind: &str);

    /// Time that a thing took.
    #[histogram(name = "thing_seconds", unit = "s", boundaries = [0.5, 1.0])]
    pub fn record_thing_seconds(kind: &str, value: f64);
}

/// A builder that sends metrics to the receiver when it is flushed.
fn exporting(receiver: &Receiver, preference: &str) -> Builder {
    with_variables(&[
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "3600000"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            preference,
        ),
    ])
}

/// Exports, and returns what has arrived of these metrics.
fn export(telemetry: &Telemetry, receiver: &Receiver) -> Received {
    let report = telemetry.force_flush(Duration::from_secs(20));
    assert!(report.is_complete(), "{report}");
    let last = receiver.requests().pop();
    last.expect("a request")
}

/// The samples of a request by series, as the text has them; without buckets.
fn exported(request: &Received, prefix: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let metrics = request.metrics().into_iter();
    for Metric { name, data, .. } in metrics.filter(|it| it.name.starts_with(prefix)) {
        let mut add = |suffix: &str, attributes: &[KeyValue], value: f64| {
            let series = format!("{name}{suffix}{}", labels(attributes));
            assert_eq!(samples.insert(series, value), None, "{name}");
        };
        let mut numbers = |points: Vec<NumberDataPoint>| {
            for point in points {
                let value = match point.value.expect("a value") {
                    number_data_point::Value::AsDouble(value) => value,
                    number_data_point::Value::AsInt(value) => value as f64,
                };
                add("", &point.attributes, value);
            }
        };
        match data.expect("data") {
            Data::Gauge(gauge) => numbers(gauge.data_points),
            Data::Sum(sum) => numbers(sum.data_points),
            Data::Histogram(histogram) => {
                for point in histogram.data_points {
                    add("_count", &point.attributes, point.count as f64);
                    add("_sum", &point.attributes, point.sum.expect("a sum"));
                }
            }
            other => panic!("{other:?}"),
        }
    }
    samples
}

fn labels(attributes: &[KeyValue]) -> String {
    let mut labels: Vec<_> = attributes
        .iter()
        .map(|attribute| {
            let value = attribute.value.as_ref().and_then(|it| it.value.as_ref());
            let value = match value.expect("a value") {
                Value::StringValue(text) => text.clone(),
                Value::BoolValue(value) => value.to_string(),
                Value::IntValue(value) => value.to_string(),
                other => panic!("{other:?}"),
            };
            format!("{}={value:?}", attribute.key.replace('.', "_"))
        })
        .collect();
    labels.sort();
    match labels.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", labels.join(",")),
    }
}

/// The samples of the text by series; without buckets.
fn shown(text: &str, prefix: &str) -> BTreeMap<String, f64> {
    text.lines()
        .filter(|line| line.starts_with(prefix) && !line.contains("_bucket{"))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(series, value)| (series.to_owned(), value.parse().expect("a number")))
        .collect()
}

#[test_fork::test]
fn one_text_and_one_export_have_the_metrics_of_all() {
    let receiver = Receiver::start();
    let registry = Registry::new();
    let telemetry = exporting(&receiver, "cumulative")
        .with_metrics_facade()
        .with_prometheus_registry(registry.clone())
        .init()
        .expect("telemetry starts");
    own::record_thing("a");
    own::record_thing_seconds("a", 0.7);
    metrics::counter!("all_facade_total", "kind" => "a").increment(3);
    metrics::gauge!("all_facade_level", "kind" => "a").set(-1.5);
    metrics::histogram!("all_facade_seconds").record(0.02);
    let counter = IntCounterVec::new(Opts::new("all_registry_total", "Counted."), &["kind"]);
    let counter = counter.expect("valid");
    let boundaries = HistogramOpts::new("all_registry_seconds", "Timed.").buckets(vec![0.1, 1.0]);
    let histogram = HistogramVec::new(boundaries, &["kind"]).expect("valid");
    registry
        .register(Box::new(counter.clone()))
        .expect("a new name");
    registry
        .register(Box::new(histogram.clone()))
        .expect("a new name");
    counter.with_label_values(&["a"]).inc_by(5);
    for value in [0.05, 0.1, 0.5, 3.0] {
        histogram.with_label_values(&["a"]).observe(value);
    }

    let text = text();
    assert_valid(&text);
    let all = shown(&text, "all_");
    let expected = [
        ("all_facade_level{kind=\"a\"}", -1.5),
        ("all_facade_seconds_count", 1.0),
        ("all_facade_seconds_sum", 0.02),
        ("all_facade_total{kind=\"a\"}", 3.0),
        ("all_registry_seconds_count{kind=\"a\"}", 4.0),
        ("all_registry_seconds_sum{kind=\"a\"}", 3.65),
        ("all_registry_total{kind=\"a\"}", 5.0),
    ];
    let expected = expected.map(|(series, value)| (series.to_owned(), value));
    assert_eq!(all, BTreeMap::from(expected));
    for line in [
        "# HELP all_registry_total Counted.\n# TYPE all_registry_total counter\n",
        "all_registry_seconds_bucket{kind=\"a\",le=\"0.1\"} 2\n",
        "all_registry_seconds_bucket{kind=\"a\",le=\"1\"} 3\n",
        "all_registry_seconds_bucket{kind=\"a\",le=\"+Inf\"} 4\n",
        "own_things_total{kind=\"a\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let request = export(&telemetry, &receiver);
    assert_eq!(exported(&request, "all_"), all);
    assert_eq!(exported(&request, "own_"), shown(&text, "own_"));
    let scopes = request.metrics_by_scope().into_iter();
    let scopes: Vec<_> = scopes
        .map(|metrics| metrics.scope.expect("a scope").name)
        .collect();
    for scope in ["metrics", "prometheus", "rustok_telemetry"] {
        let count = scopes.iter().filter(|name| *name == scope).count();
        assert_eq!(count, 1, "{scope}: {scopes:?}");
    }
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn the_text_has_them_with_providers_of_the_service() {
    let tracer_provider = SdkTracerProvider::builder().build();
    let exporter = InMemoryMetricExporter::default();
    let meter_provider = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.clone())
        .with_reader(rustok_telemetry::text_reader())
        .build();
    let registry = Registry::new();
    let counter = IntCounter::new("all_registry_total", "Counted.").expect("valid");
    registry
        .register(Box::new(counter.clone()))
        .expect("a new name");
    let telemetry = rustok_telemetry::builder()
        .with_providers(&tracer_provider, &meter_provider)
        .with_metrics_facade()
        .with_prometheus_registry(registry)
        .init()
        .expect("telemetry starts");
    metrics::counter!("all_facade_total").increment(3);
    counter.inc_by(5);
    let text = text();
    assert_valid(&text);
    let expected = [("all_facade_total", 3.0), ("all_registry_total", 5.0)];
    let expected = expected.map(|(series, value)| (series.to_owned(), value));
    assert_eq!(shown(&text, "all_"), BTreeMap::from(expected));
    meter_provider.force_flush().expect("exported");
    let exports = exporter.get_finished_metrics().expect("no panic");
    let mut names = exports
        .iter()
        .flat_map(|export| export.scope_metrics())
        .flat_map(|scope| scope.metrics().map(|metric| metric.name().to_owned()));
    assert!(names.any(|name| name == "all_facade_total"));
    drop(telemetry);
    meter_provider.shutdown().expect("shut down");
}
