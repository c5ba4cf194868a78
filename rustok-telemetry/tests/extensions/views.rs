//! Views of a service act on the metrics of the catalogue, for its exporters and for the text.

use opentelemetry_sdk::metrics::{Aggregation, InMemoryMetricExporter, Instrument, Stream};
use rustok_telemetry::metrics;

use crate::{
    samples,
    support::{assert_samples, samples as samples_of, text, text_only},
};

fn renamed(instrument: &Instrument) -> Option<Stream> {
    let stream = Stream::builder().with_name("shop_published_total");
    (instrument.name() == "rustok_event_bus_published_total").then(|| stream.build().ok())?
}

fn dropped(instrument: &Instrument) -> Option<Stream> {
    let stream = Stream::builder().with_aggregation(Aggregation::Drop);
    instrument
        .name()
        .starts_with("rustok_telemetry_")
        .then(|| stream.build().ok())?
}

fn bounded(instrument: &Instrument) -> Option<Stream> {
    let stream = Stream::builder().with_aggregation(Aggregation::ExplicitBucketHistogram {
        boundaries: vec![0.5, 2.0],
        record_min_max: true,
    });
    (instrument.name() == "rustok_event_bus_lag_seconds").then(|| stream.build().ok())?
}

#[test_fork::test]
fn views_apply_to_the_text_and_to_exporters() {
    let exporter = InMemoryMetricExporter::default();
    let telemetry = text_only()
        .with_view(renamed)
        .with_view(dropped)
        .with_view(bounded)
        .with_metric_exporter(exporter.clone())
        .init()
        .expect("telemetry starts");
    check();
    assert!(telemetry.shutdown().is_complete());
    let exports = exporter.get_finished_metrics().expect("exports");
    let exported = samples::of_collection(&exports[0]);
    let names: Vec<_> = exported.keys().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"shop_published_total"), "{names:?}");
    assert!(
        !names
            .iter()
            .any(|name| name.starts_with("rustok_telemetry_"))
    );
    let buckets = names.iter();
    let buckets = buckets.filter(|name| **name == "rustok_event_bus_lag_seconds_bucket");
    assert_eq!(buckets.count(), 3);
}

#[test_fork::test]
fn views_need_no_exporter() {
    let telemetry = text_only()
        .with_view(renamed)
        .with_view(dropped)
        .with_view(bounded)
        .init()
        .expect("telemetry starts");
    check();
    drop(telemetry);
}

fn check() {
    metrics::record_event_published("OrderPlaced", "acme");
    metrics::record_event_lag("OrderPlaced", 1.0);
    metrics::update_queue_depth("in_memory", 7);
    let text = text();
    let labels = r#"{event_type="OrderPlaced",tenant_id="acme"}"#;
    assert_samples(&text, "shop_published_total", &[(labels, "1")]);
    assert_samples(&text, "rustok_event_bus_published_total", &[]);
    let depth = [(r#"{transport="in_memory"}"#, "7")];
    assert_samples(&text, "rustok_event_bus_queue_depth", &depth);
    assert!(!text.contains("rustok_telemetry_"), "{text}");
    let buckets = samples_of(&text, "rustok_event_bus_lag_seconds_bucket");
    let buckets: Vec<_> = buckets.values().map(String::as_str).collect();
    assert_eq!(buckets, ["1", "0", "1"], "up to infinity, 0.5 and 2");
}
