//! What `console` writes, and how loud the SDK is.

use serde_json::Value;

use crate::{foreign_meter, in_a_process, receiver::Receiver};

fn lines(said: &str) -> Vec<Value> {
    let objects = said.lines().filter(|line| line.starts_with('{'));
    objects
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn all_signals_go_to_standard_output_and_otlp_beside_it() {
    let receiver = Receiver::start();
    let variables = [
        ("OTEL_TRACES_EXPORTER", "otlp,console"),
        ("OTEL_METRICS_EXPORTER", "console"),
        ("OTEL_LOGS_EXPORTER", "console"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.plain()),
    ];
    let test = "console::all_signals_go_to_standard_output_and_otlp_beside_it";
    let (said, _) = in_a_process(test, &variables, || {
        let telemetry = rustok_telemetry::init().expect("telemetry starts");
        let span = tracing::info_span!("work", tenant_id = "acme", city = "Zürich");
        span.in_scope(|| tracing::warn!(left = 2, "low stock"));
        drop(span);
        // Nobody else may drive an executor on this thread, but the service may.
        futures::executor::block_on(async { drop(tracing::info_span!("within")) });
        rustok_telemetry::metrics::record_event_published("OrderPlaced", "acme");
        rustok_telemetry::metrics::update_queue_depth("in_memory", 42);
        let foreign = foreign_meter().f64_counter("foreign").build();
        foreign.add(0.5, &[]);
        assert!(telemetry.shutdown().is_complete());
    });
    let lines = lines(&said);
    let find = |key: &str, value: &str| {
        let found = lines.iter().find(|line| line[key] == value);
        found.unwrap_or_else(|| panic!("no {key} {value}: {said}"))
    };
    let span = find("span", "work");
    assert_eq!(span["kind"], "internal");
    assert_eq!(span["status"], "unset");
    assert_eq!(span["attributes"]["city"], "Züri");
    assert_eq!(span["parent_span_id"], Value::Null);
    assert_eq!(span["events"][0]["event"], "low stock");
    find("span", "within");
    let log = find("log", "low stock");
    assert_eq!(log["severity"], "WARN");
    assert_eq!(log["attributes"]["left"], 2);
    assert_eq!(log["attributes"]["tenant_id"], "acme");
    assert_eq!(log["trace_id"], span["trace_id"]);
    assert_eq!(log["span_id"], span["span_id"]);
    let metric = find("metric", "rustok_event_bus_published_total");
    assert_eq!(metric["kind"], "sum");
    assert_eq!(
        metric["points"][0]["attributes"]["event_type"],
        "OrderPlaced"
    );
    assert_eq!(metric["points"][0]["value"], 1);
    let gauge = find("metric", "rustok_event_bus_queue_depth");
    assert_eq!(gauge["kind"], "gauge");
    assert_eq!(gauge["points"][0]["value"], 42);
    find("metric", "rustok_telemetry_exports_total");
    assert_eq!(find("metric", "foreign")["points"][0]["value"], 0.5);
    let histogram = find("metric", "rustok_span_duration_seconds");
    assert_eq!(histogram["kind"], "histogram");
    let point = &histogram["points"][0];
    assert_eq!(point["count"], 1);
    let lengths = ["bounds", "buckets"].map(|key| point[key].as_array().map(Vec::len));
    assert!(lengths[0] > Some(1) && lengths[1] > lengths[0], "{point}");
    assert_eq!(receiver.spans().len(), 2, "by OTLP, too");
}

#[test]
fn a_flush_writes_the_metrics() {
    let variables = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "console"),
    ];
    let test = "console::a_flush_writes_the_metrics";
    let (said, _) = in_a_process(test, &variables, || {
        let telemetry = rustok_telemetry::init().expect("telemetry starts");
        rustok_telemetry::metrics::update_queue_depth("in_memory", 42);
        let flushed = telemetry.force_flush(std::time::Duration::from_secs(10));
        assert!(flushed.is_complete(), "{flushed}");
        assert!(telemetry.shutdown().is_complete());
    });
    let gauge = "rustok_event_bus_queue_depth";
    let lines = lines(&said);
    let written = lines.iter().filter(|line| line["metric"] == gauge);
    assert_eq!(written.count(), 2, "at the flush and at the end: {said}");
}

/// A failed export is one warning, unless only errors are wanted.
fn warnings(test: &str, level: &[(&str, &str)]) -> usize {
    let mut variables = vec![
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("RUST_LOG", "info"),
    ];
    variables.extend_from_slice(level);
    let (_, errors) = in_a_process(test, &variables, || {
        let telemetry = rustok_telemetry::init().expect("telemetry starts");
        drop(tracing::info_span!("work"));
        let lost = || rustok_telemetry::prometheus_text().expect("text").body;
        let failed = "rustok_telemetry_exports_total{outcome=\"failure\"";
        for _ in 0..500 {
            let text = String::from_utf8(lost()).expect("text");
            let count = text.lines().find(|line| line.starts_with(failed));
            if count.is_some_and(|line| !line.ends_with(" 0")) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        let _ = telemetry.shutdown();
    });
    let said = errors
        .lines()
        .filter(|line| line.contains("exporting traces to"));
    said.filter(|line| line.contains("Connection refused"))
        .count()
}

#[test]
fn by_default_the_sdk_warns() {
    assert_eq!(warnings("console::by_default_the_sdk_warns", &[]), 1);
}

#[test]
fn with_log_level_error_the_sdk_does_not_warn() {
    let test = "console::with_log_level_error_the_sdk_does_not_warn";
    assert_eq!(warnings(test, &[("OTEL_LOG_LEVEL", "error")]), 0);
}
