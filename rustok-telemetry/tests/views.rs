//! Views leave metrics out, or give them other buckets, on every way out.
#![cfg(feature = "config-file")]

mod support;

use std::fs;

use rustok_telemetry::{
    config::{TelemetryConfig, View, ViewAggregation},
    metrics,
};
use support::{samples, text};

const FILE: &str = r#"
file_format: "1.0"
meter_provider:
  readers:
    - pull: {exporter: {prometheus/development: }}
  views:
    - selector: {instrument_name: rustok_http}
      stream: {aggregation: {drop: }}
    - selector: {instrument_name: "RUSTOK_HTTP_*_size_bytes"}
      stream: {aggregation: {drop: }}
    - selector: {instrument_name: rustok_event_bus_lag_seconds}
      stream: {aggregation: {explicit_bucket_histogram: {boundaries: [0.5, 2]}}}
    - selector: {instrument_name: "*_publi?hed_*"}
      stream: {aggregation: {explicit_bucket_histogram: {boundaries: [1]}}}
"#;

#[test_fork::test]
fn views_of_a_file_apply() {
    let path = format!("{}/views.yaml", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&path, FILE).expect("a file");
    let config = TelemetryConfig::from_vars([("OTEL_CONFIG_FILE", path)]).expect("valid");
    assert!(
        config
            .report()
            .to_string()
            .contains("metrics.views = rustok_http: drop,RUSTOK_HTTP_*_size_bytes: drop,"),
        "{}",
        config.report()
    );
    let telemetry = rustok_telemetry::builder()
        .config(config)
        .init()
        .expect("telemetry starts");
    metrics::record_http_request_size("GET", "/", 5);
    metrics::record_http_request("GET", "/", "200");
    metrics::record_event_lag("ProductCreated", 1.0);
    metrics::record_event_published("ProductCreated", "acme");
    let text = text();
    assert!(!text.contains("\nrustok_http_request_size_bytes"), "{text}");
    assert_eq!(samples(&text, "rustok_http_requests_total").len(), 1);
    assert_eq!(samples(&text, "rustok_event_bus_published_total").len(), 1);
    let buckets = samples(&text, "rustok_event_bus_lag_seconds_bucket");
    let buckets: Vec<_> = buckets
        .iter()
        .map(|(labels, count)| (labels.as_str(), count.as_str()))
        .collect();
    assert_eq!(
        buckets,
        [
            (r#"{event_type="ProductCreated",le="+Inf"}"#, "1"),
            (r#"{event_type="ProductCreated",le="0.5"}"#, "0"),
            (r#"{event_type="ProductCreated",le="2"}"#, "1"),
        ]
    );
    let _ = telemetry.shutdown();
}

#[test]
fn boundaries_in_code_are_validated() {
    let mut config = TelemetryConfig::from_vars::<&str, &str>([]).expect("defaults");
    config.metrics.views.set(vec![View {
        instrument_name: "rustok_event_bus_lag_seconds".to_owned(),
        aggregation: ViewAggregation::Boundaries(vec![f64::NAN]),
    }]);
    let error = config.check().expect_err("not finite").to_string();
    assert!(
        error.starts_with("rustok_event_bus_lag_seconds: the boundaries of a histogram are finite"),
        "{error}"
    );
}
