//! Metric readers and exporters of a service have every metric, with the values of the text.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use opentelemetry::{KeyValue, metrics::MeterProvider as _};
use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    metrics::{
        InMemoryMetricExporter, InMemoryMetricExporterBuilder, PeriodicReader, Temporality,
        data::ResourceMetrics, exporter::PushMetricExporter,
    },
};
use rustok_telemetry::{
    Telemetry,
    metrics::{self, Kind, catalogue},
};

use crate::{
    samples::{self, Samples, assert_same},
    support::{in_a_process, record_grpc, text, text_only, with_variables},
};

const LONG: Duration = Duration::from_secs(20);

#[rustok_telemetry::metrics(namespace = "shop")]
mod declared {
    /// Time on the processor.
    #[counter(name = "cpu_seconds_total")]
    pub(super) fn record_cpu(seconds: f64);

    /// Memory in use.
    #[gauge(name = "memory_bytes")]
    pub(super) fn update_memory(bytes: u64);

    /// Temperature.
    #[gauge(name = "temperature", unit = "Cel")]
    pub(super) fn update_temperature(room: &str, degrees: f64);

    /// Weight on the scales.
    #[up_down_counter(name = "weight", unit = "kg")]
    pub(super) fn add_weight(change: f64);

    /// Depth of the well.
    #[observable_gauge(name = "well_depth", unit = "m", observe = super::report_depth)]
    fn well_depth(well: &str) -> i64;
}

fn report_depth(observe: &mut dyn FnMut([&str; 1], i64)) {
    observe(["north"], -7);
}

/// Records each metric of the catalogue.
fn record_all() {
    for tenant in ["acme", "", "other"] {
        metrics::record_event_published("OrderPlaced", tenant);
    }
    metrics::record_event_dispatched("OrderPlaced", "mail");
    metrics::update_queue_depth("in_memory", -3);
    metrics::record_event_processing_duration("OrderPlaced", "mail", 0.003);
    metrics::record_event_error("OrderPlaced", "timeout");
    metrics::record_event_lag("OrderPlaced", 1.5);
    metrics::record_cache_operation("products", "get", "hit");
    metrics::record_cache_operation("products", "get", "miss");
    metrics::update_cache_size("products", 12);
    metrics::record_cache_eviction("products", "expired");
    metrics::record_cache_duration("products", "get", 0.000_2);
    metrics::update_circuit_breaker_state("payment", 2);
    metrics::record_circuit_breaker_transition("payment", "closed", "open");
    metrics::record_circuit_breaker_call("payment", "rejected");
    metrics::update_circuit_breaker_failures("payment", 5);
    for seconds in [0.002, 0.25, 9.0, 1e9] {
        metrics::record_db_query_duration("select", "products", seconds);
    }
    metrics::update_db_connections("idle", 4);
    metrics::record_db_query_error("select", "timeout");
    metrics::record_http_request("GET", "/products/{id}", "200");
    metrics::record_http_request_duration("GET", "/products/{id}", 0.012);
    metrics::record_http_stream_duration("GET", "/events", 42.0);
    metrics::record_http_request_by_endpoint("GET", "/products/{id}", "200");
    metrics::record_http_request_size("POST", "/products", 1_000);
    metrics::record_http_response_size("POST", "/products", 5_000_000);
    metrics::add_http_active_connections(3);
    metrics::add_http_active_connections(-1);
    record_grpc();
    metrics::record_module_error("orders", "timeout", "critical");
    metrics::record_span_created("orders.place", "acme");
    metrics::record_span_duration("orders.place", 0.1);
    metrics::record_span_error("orders.place", "timeout");
    metrics::record_span_cancelled("orders.place");
    declared::record_cpu(0.25);
    declared::update_memory(u64::MAX);
    declared::update_temperature("cellar", -1.5);
    declared::add_weight(-0.5);
    // Folded to `other`, and dropped.
    for number in 0..200 {
        metrics::record_cache_eviction("products", &format!("reason {number}"));
    }
    metrics::record_event_lag("OrderPlaced", f64::NAN);
}

/// Asserts that the samples have each metric that can be recorded.
#[track_caller]
fn assert_all(samples: &Samples) {
    let names: Vec<_> = samples.keys().map(|(name, _)| name.as_str()).collect();
    for metric in catalogue() {
        let observed = matches!(metric.kind, Kind::ObservableCounter | Kind::ObservableGauge);
        let suffix = match metric.kind {
            Kind::Histogram => "_count",
            _ => "",
        };
        let sample = format!("{}{suffix}", metric.name);
        assert!(observed || names.contains(&&*sample), "no {sample}");
    }
    for name in ["shop_well_depth", "rustok_cache_hit_rate", "foreign_total"] {
        assert!(names.contains(&name), "no {name}");
    }
}

fn record_foreign(telemetry: &Telemetry) {
    let provider = telemetry.meter_provider().expect("telemetry is enabled");
    let foreign = provider
        .meter("foreign")
        .u64_counter("foreign_total")
        .build();
    foreign.add(2, &[KeyValue::new("kind", "a")]);
}

/// From the third collection on, the metric that counts dropped observations has all of its series.
fn collect_twice() {
    text();
    text();
}

#[track_caller]
fn flush(telemetry: &Telemetry) {
    let report = telemetry.force_flush(LONG);
    assert!(report.is_complete(), "{report}");
}

#[track_caller]
fn last(exporter: &InMemoryMetricExporter) -> Samples {
    let exports = exporter.get_finished_metrics().expect("exports");
    samples::of_collection(exports.last().expect("an export"))
}

#[test_fork::test]
fn an_exporter_has_every_series_of_the_text() {
    let exporter = InMemoryMetricExporter::default();
    let telemetry = text_only()
        .with_metric_exporter(exporter.clone())
        .init()
        .expect("telemetry starts");
    record_foreign(&telemetry);
    record_all();
    collect_twice();
    for _ in 0..2 {
        record_all();
        flush(&telemetry);
        let exported = last(&exporter);
        assert_all(&exported);
        assert_same(&exported, &samples::of_text(&text()));
    }
    record_all();
    let text = samples::of_text(&text());
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    assert_same(&last(&exporter), &text);
}

#[test]
fn the_stdout_exporter_has_every_series_of_the_text() {
    let test = "metrics::the_stdout_exporter_has_every_series_of_the_text";
    let (printed, text) = in_a_process(test, &[("RUST_LOG", "off")], || {
        let telemetry = text_only()
            .with_metric_exporter(opentelemetry_stdout::MetricExporter::default())
            .init()
            .expect("telemetry starts");
        record_foreign(&telemetry);
        record_all();
        collect_twice();
        flush(&telemetry);
        write!(io::stderr(), "{}", text()).expect("standard error");
        std::process::exit(0);
    });
    let printed = samples::of_printed(&printed);
    assert_all(&printed);
    assert_same(&printed, &samples::of_text(&text));
}

/// A reader with delta temporality, beside the text and OTLP's configuration.
#[test_fork::test]
fn readers_choose_their_temporality() {
    let delta = InMemoryMetricExporterBuilder::new()
        .with_temporality(Temporality::Delta)
        .build();
    let cumulative = InMemoryMetricExporter::default();
    let telemetry = text_only()
        .with_metric_reader(PeriodicReader::builder(delta.clone()).build())
        .with_metric_exporter(cumulative.clone())
        .init()
        .expect("telemetry starts");
    let key = |name: &str| {
        let label = ("service".to_owned(), "payment".to_owned());
        let result = ("result".to_owned(), "rejected".to_owned());
        (name.to_owned(), BTreeMap::from([label, result]))
    };
    let calls = key("rustok_circuit_breaker_calls_total");
    for total in [1.0, 2.0] {
        metrics::record_circuit_breaker_call("payment", "rejected");
        flush(&telemetry);
        assert_eq!(last(&delta)[&calls], 1.0);
        assert_eq!(last(&cumulative)[&calls], total);
        assert_eq!(samples::of_text(&text())[&calls], total);
    }
    drop(telemetry);
}

#[test_fork::test]
fn callbacks_run_once_before_each_collection() {
    let (runs, depth) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(0)));
    let (runs_of_hook, depth_of_hook) = (Arc::clone(&runs), Arc::clone(&depth));
    metrics::before_collection(move || {
        runs_of_hook.fetch_add(1, Relaxed);
        metrics::update_queue_depth("in_memory", depth_of_hook.load(Relaxed));
    })
    .detach();
    let exporter = InMemoryMetricExporter::default();
    let telemetry = text_only()
        .with_metric_exporter(exporter.clone())
        .init()
        .expect("telemetry starts");
    let key = (
        "rustok_event_bus_queue_depth".to_owned(),
        BTreeMap::from([("transport".to_owned(), "in_memory".to_owned())]),
    );
    for round in 1..=3 {
        depth.store(10 * round, Relaxed);
        flush(&telemetry);
        assert_eq!(last(&exporter)[&key], (10 * round) as f64);
        assert_eq!(runs.load(Relaxed), 2 * round - 1);
        assert_eq!(samples::of_text(&text())[&key], (10 * round) as f64);
        assert_eq!(runs.load(Relaxed), 2 * round);
    }
    let names = exporter.get_finished_metrics().expect("exports");
    let metrics = names.iter().flat_map(ResourceMetrics::scope_metrics);
    let mut metrics = metrics.flat_map(|scope| scope.metrics());
    assert!(!metrics.any(|metric| metric.name() == "hooks"));
    drop(telemetry);
}

#[derive(Debug)]
struct Failing;

impl PushMetricExporter for Failing {
    async fn export(&self, _: &ResourceMetrics) -> OTelSdkResult {
        Err(OTelSdkError::InternalFailure("the disk is full".to_owned()))
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

#[test_fork::test]
fn a_failed_export_is_reported() {
    let telemetry = text_only()
        .with_metric_exporter(Failing)
        .init()
        .expect("telemetry starts");
    let report = telemetry.force_flush(LONG);
    assert!(report.metrics_error.is_some(), "{report}");
    let report = telemetry.shutdown();
    assert!(report.metrics_error.is_some(), "{report}");
}

#[test_fork::test]
fn disabled_telemetry_has_no_providers() {
    let exporter = InMemoryMetricExporter::default();
    let telemetry = with_variables(&[("OTEL_SDK_DISABLED", "true")])
        .with_metric_exporter(exporter.clone())
        .init()
        .expect("telemetry starts");
    assert!(telemetry.meter_provider().is_none());
    assert!(telemetry.tracer_provider().is_none());
    assert!(telemetry.logger_provider().is_none());
    record_all();
    drop(telemetry);
    assert_eq!(exporter.get_finished_metrics().expect("exports").len(), 0);
}
