//! Callbacks that run before each collection.

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use rustok_telemetry::{
    config::{TelemetryConfig, View, ViewAggregation},
    metrics,
};
use support::{assert_samples, quiet_panics, text, text_only};

const DEPTH: &str = "rustok_event_bus_queue_depth";

#[test_fork::test]
fn a_callback_runs_before_its_collection() {
    let waiting = Arc::new(AtomicI64::new(1));
    let read = Arc::clone(&waiting);
    // Before `init`, as a pool may be made.
    let hook = metrics::before_collection(move || {
        metrics::update_queue_depth("in_memory", read.load(Ordering::Relaxed));
    });
    let telemetry = text_only().init().expect("telemetry starts");
    for depth in ["1", "2"] {
        assert_samples(&text(), DEPTH, &[(r#"{transport="in_memory"}"#, depth)]);
        waiting.store(2, Ordering::Relaxed);
    }
    assert_samples(&text(), "rustok_telemetry_collection_hooks", &[("", "1")]);
    drop(hook);
    assert_eq!(Arc::strong_count(&waiting), 1, "the function is gone");
    waiting.store(3, Ordering::Relaxed);
    assert_samples(&text(), DEPTH, &[(r#"{transport="in_memory"}"#, "2")]);
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn a_panicking_callback_is_counted_and_isolated() {
    quiet_panics();
    let telemetry = text_only().init().expect("telemetry starts");
    metrics::before_collection(|| panic!("on purpose")).detach();
    metrics::before_collection(|| metrics::update_queue_depth("in_memory", 7)).detach();
    text();
    let text = text();
    assert_samples(&text, DEPTH, &[(r#"{transport="in_memory"}"#, "7")]);
    let panics = support::samples(&text, "rustok_telemetry_observation_panics_total");
    assert!(["1", "2"].contains(&panics[""].as_str()), "{panics:?}");
    let _ = telemetry.shutdown();
}

#[test_fork::test]
fn callbacks_run_even_if_metrics_are_dropped() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
    ];
    let mut config = TelemetryConfig::from_vars(variables).expect("a valid configuration");
    config.metrics.views.set(vec![View {
        instrument_name: "rustok_telemetry_*".to_owned(),
        aggregation: ViewAggregation::Drop,
    }]);
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts");
    metrics::before_collection(|| metrics::update_queue_depth("in_memory", 7)).detach();
    let text = text();
    assert_samples(&text, DEPTH, &[(r#"{transport="in_memory"}"#, "7")]);
    assert!(!text.contains("rustok_telemetry_"), "{text}");
    let _ = telemetry.shutdown();
}
