//! The Rust blocks of RusToK's Metrics Dashboard Guide (`docs/guide/migrate-rustok.md`) compile as they stand.
//!
//! Each block is here word for word, with the types around it filled in. `blocks.md` has the guide's own text, and a
//! test compares every call. Two things had to change in the circuit breaker's block, neither of them a call of ours:
//! it assigns to fields through `&self`, so it takes `&mut self`; and its last arm, which ends in a comment, gets a
//! value.
#![allow(
    clippy::needless_pass_by_ref_mut,
    unreachable_pub,
    dead_code,
    reason = "the guide's code is kept as it is"
)]

#[rustfmt::skip]
mod blocks;
mod calls;

use rustok_telemetry::metrics;

#[test]
fn every_call_of_the_guide_compiles() {
    let guide = calls::of(include_str!("blocks.md"));
    let here = calls::of(include_str!("blocks.rs"));
    assert!(guide.len() > 30, "{} calls were found", guide.len());
    for call in &guide {
        assert!(here.contains(call), "not compiled: {call}");
    }
}

#[test]
fn every_function_of_the_design_has_exactly_its_signature() {
    let _: [fn(&str, &str); 6] = [
        metrics::record_event_published,
        metrics::record_event_dispatched,
        metrics::record_event_error,
        metrics::record_circuit_breaker_call,
        metrics::record_cache_eviction,
        metrics::record_span_created,
    ];
    let _: [fn(&str, &str); 2] = [metrics::record_span_error, metrics::record_db_query_error];
    let _: [fn(&str, &str, &str); 3] = [
        metrics::record_circuit_breaker_transition,
        metrics::record_cache_operation,
        metrics::record_module_error,
    ];
    let _: [fn(&str, i64); 5] = [
        metrics::update_queue_depth,
        metrics::update_circuit_breaker_state,
        metrics::update_circuit_breaker_failures,
        metrics::update_cache_size,
        metrics::update_db_connections,
    ];
    let _: [fn(&str, f64); 2] = [metrics::record_event_lag, metrics::record_span_duration];
    let _: [fn(&str, &str, f64); 3] = [
        metrics::record_event_processing_duration,
        metrics::record_cache_duration,
        metrics::record_db_query_duration,
    ];
}

/// Type and labels of every metric in the guide's tables, and of the two that its queries use without listing.
const GUIDE: &[(&str, &str, &[&str])] = &[
    (
        "rustok_event_bus_published_total",
        "counter",
        &["event_type", "tenant_id"],
    ),
    (
        "rustok_event_bus_dispatched_total",
        "counter",
        &["event_type", "handler"],
    ),
    ("rustok_event_bus_queue_depth", "gauge", &["transport"]),
    (
        "rustok_event_bus_processing_duration_seconds",
        "histogram",
        &["event_type", "handler"],
    ),
    (
        "rustok_event_bus_errors_total",
        "counter",
        &["event_type", "error_type"],
    ),
    ("rustok_event_bus_lag_seconds", "histogram", &["event_type"]),
    ("rustok_circuit_breaker_state", "gauge", &["service"]),
    (
        "rustok_circuit_breaker_transitions_total",
        "counter",
        &["service", "from_state", "to_state"],
    ),
    (
        "rustok_circuit_breaker_calls_total",
        "counter",
        &["service", "result"],
    ),
    ("rustok_circuit_breaker_failures", "gauge", &["service"]),
    (
        "rustok_cache_operations_total",
        "counter",
        &["cache", "operation", "result"],
    ),
    ("rustok_cache_hit_rate", "gauge", &["cache"]),
    ("rustok_cache_size", "gauge", &["cache"]),
    (
        "rustok_cache_evictions_total",
        "counter",
        &["cache", "reason"],
    ),
    (
        "rustok_cache_operation_duration_seconds",
        "histogram",
        &["cache", "operation"],
    ),
    (
        "rustok_spans_created_total",
        "counter",
        &["operation", "tenant_id"],
    ),
    ("rustok_span_duration_seconds", "histogram", &["operation"]),
    (
        "rustok_spans_with_errors_total",
        "counter",
        &["operation", "error_type"],
    ),
    (
        "rustok_module_errors_total",
        "counter",
        &["module", "error_type", "severity"],
    ),
    ("rustok_module_error_rate", "gauge", &["module"]),
    (
        "rustok_database_query_duration_seconds",
        "histogram",
        &["query_type", "table"],
    ),
    ("rustok_database_connections", "gauge", &["state"]),
    (
        "rustok_database_query_errors_total",
        "counter",
        &["query_type", "error_type"],
    ),
    (
        "rustok_http_requests_by_endpoint",
        "counter",
        &["method", "endpoint", "status"],
    ),
    (
        "rustok_http_request_size_bytes",
        "histogram",
        &["method", "endpoint"],
    ),
    (
        "rustok_http_response_size_bytes",
        "histogram",
        &["method", "endpoint"],
    ),
    ("rustok_http_active_connections", "gauge", &[]),
    (
        "rustok_http_requests_total",
        "counter",
        &["method", "path", "status"],
    ),
    (
        "rustok_http_request_duration_seconds",
        "histogram",
        &["method", "path"],
    ),
];

#[test]
fn the_catalogue_has_every_metric_of_the_guide() {
    let catalogue = metrics::catalogue();
    for (name, kind, labels) in GUIDE {
        let metric = catalogue.iter().find(|metric| metric.name == *name);
        let metric = metric.unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        assert_eq!(metric.kind.prometheus_type(), *kind, "{name}");
        let own: Vec<_> = metric.labels.iter().map(|label| label.name).collect();
        assert_eq!(own, *labels, "{name}");
    }
}
