//! `--traffic` makes every metric move within its first twenty seconds.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use common::{Server, scratch, text};

/// Series that must be there and more than 0, by the beginning of their line in the
/// Prometheus text.
const COUNTED: [&str; 47] = [
    "rustok_event_bus_published_total{event_type=\"ProductCreated\",tenant_id=\"acme\"}",
    "rustok_event_bus_published_total{event_type=\"ProductUpdated\"",
    "rustok_event_bus_published_total{event_type=\"ProductDeleted\"",
    "rustok_event_bus_published_total{event_type=\"StockReserved\"",
    "rustok_event_bus_dispatched_total{event_type=\"ProductCreated\",handler=\"index_handler\"}",
    "rustok_event_bus_dispatched_total{event_type=\"StockReserved\",handler=\"audit_handler\"}",
    "rustok_event_bus_processing_duration_seconds_count",
    "rustok_event_bus_errors_total{error_type=\"nothing_to_index\"",
    "rustok_event_bus_lag_seconds_count",
    "rustok_circuit_breaker_transitions_total{from_state=\"closed\",service=\"inventory\",to_state=\"open\"}",
    "rustok_circuit_breaker_transitions_total{from_state=\"open\",service=\"inventory\",to_state=\"half_open\"}",
    "rustok_circuit_breaker_transitions_total{from_state=\"half_open\",service=\"inventory\",to_state=\"closed\"}",
    "rustok_circuit_breaker_calls_total{result=\"success\"",
    "rustok_circuit_breaker_calls_total{result=\"failure\"",
    "rustok_circuit_breaker_calls_total{result=\"rejected\"",
    "rustok_cache_operations_total{cache=\"tenant_cache\",operation=\"get\",result=\"hit\"}",
    "rustok_cache_operations_total{cache=\"tenant_cache\",operation=\"get\",result=\"miss\"}",
    "rustok_cache_hit_rate{cache=\"tenant_cache\"}",
    "rustok_cache_size{cache=\"tenant_cache\"}",
    "rustok_cache_evictions_total{cache=\"tenant_cache\",reason=\"ttl\"}",
    "rustok_cache_evictions_total{cache=\"tenant_cache\",reason=\"size\"}",
    "rustok_cache_evictions_total{cache=\"tenant_cache\",reason=\"explicit\"}",
    "rustok_cache_operation_duration_seconds_count",
    "rustok_spans_created_total{operation=\"orders.place\",tenant_id=\"acme\"}",
    "rustok_span_duration_seconds_count{operation=\"db.query\"}",
    "rustok_spans_with_errors_total{error_type=\"503\",operation=\"http_client_request\"}",
    "rustok_spans_cancelled_total{operation=\"http_request\"}",
    "rustok_http_requests_total{method=\"GET\",path=\"/api/reports/busiest\",status=\"client_closed\"}",
    "rustok_module_errors_total{error_type=\"circuit_open\",module=\"inventory\"",
    "rustok_module_errors_total{error_type=\"nothing_to_index\",module=\"search_index\",severity=\"warning\"}",
    "rustok_module_error_rate{module=\"search_index\"}",
    "rustok_database_query_duration_seconds_count{query_type=\"select\",table=\"orders\"}",
    "rustok_database_query_errors_total{error_type=\"unique_violation\",query_type=\"insert\"}",
    "rustok_http_requests_total{method=\"POST\",path=\"/graphql\",status=\"200\"}",
    "rustok_http_requests_by_endpoint{endpoint=\"/api/products\",method=\"GET\",status=\"404\"}",
    "rustok_http_request_size_bytes_sum{endpoint=\"/api/products\",method=\"POST\"}",
    "rustok_http_response_size_bytes_sum{endpoint=\"/api/products\",method=\"GET\"}",
    "rustok_grpc_client_handled_total{code=\"OK\",method=\"GetStock\",service=\"inventory.v1.Inventory\"}",
    "rustok_grpc_client_handled_total{code=\"OK\",method=\"Reserve\",service=\"inventory.v1.Inventory\"}",
    "rustok_grpc_client_duration_seconds_count",
    "rustok_grpc_client_messages_received_total",
    "rustok_tokio_workers{runtime=\"main\"}",
    "rustok_tokio_busy_seconds_total{runtime=\"main\"}",
    "rustok_tokio_parks_total{runtime=\"main\"}",
    "process_cpu_seconds_total",
    "rustok_server_catalogue_orders_total",
    "rustok_server_catalogue_products{tenant_id=\"acme\"}",
];

/// Gauges that are at rest when the service is.
const AT_REST: [&str; 7] = [
    "rustok_event_bus_queue_depth{transport=\"in_memory\"}",
    "rustok_circuit_breaker_state{service=\"inventory\"}",
    "rustok_circuit_breaker_failures{service=\"inventory\"}",
    "rustok_database_connections{state=\"active\"}",
    "rustok_database_connections{state=\"idle\"}",
    "rustok_http_active_connections",
    "rustok_grpc_client_active_calls",
];

#[test]
fn traffic_moves_every_metric_and_gauges_settle() {
    let file = scratch("metrics.txt");
    let mut server = Server::start(&["--traffic-seconds", "20", "--metrics-on-exit", text(&file)]);
    let status = server.wait(Duration::from_secs(60));
    assert_eq!(status.code(), Some(0));

    let series = series(&fs::read_to_string(&file).expect("the metrics are written"));
    let total = |start: &str| {
        let found: Vec<f64> = series
            .iter()
            .filter(|(name, _)| name.starts_with(start))
            .map(|(_, v)| *v)
            .collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>())
    };
    let still: Vec<_> = COUNTED
        .iter()
        .filter(|start| total(start).is_none_or(|sum| sum <= 0.0))
        .collect();
    assert!(still.is_empty(), "these didn't move: {still:#?}");
    let restless: Vec<_> = AT_REST
        .iter()
        .filter(|start| total(start) != Some(0.0))
        .collect();
    assert!(restless.is_empty(), "these aren't 0: {restless:#?}");
}

fn series(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parsed = lines.filter_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    });
    parsed.collect()
}
