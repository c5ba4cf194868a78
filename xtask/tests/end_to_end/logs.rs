//! A log record leads from the Collector's file to the trace in Jaeger, and to the tenant.

use std::time::Duration;

use serde_json::Value;
use xtask::stack::Stack;
use xtask::stack::query::jaeger_trace;

use crate::server::{Protocol, Server, TENANT};
use crate::support::{eventually, scratch, stack};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn log_records_of_failed_requests_have_trace_and_tenant() {
    let stack = stack("logs");
    let folder = scratch("logs_server");
    // Nothing listens there: every order fails, which the service logs.
    let arguments = ["--inventory-url", "http://127.0.0.1:9"];
    let variables = [("OTEL_LOGS_EXPORTER", "otlp"), ("RUST_LOG", "warn")];
    let server = Server::start(
        &stack,
        &folder,
        "one",
        Protocol::Grpc,
        &arguments,
        &variables,
    );
    let (status, body) = server.order_a_lamp(TRACE);
    assert_eq!(status, 502, "{body}");

    let record = eventually(Duration::from_secs(60), || {
        let records = records(&stack);
        let mut of_trace = records.iter().filter(|record| record["traceId"] == TRACE);
        let error = of_trace.find(|record| record["severityText"] == "ERROR");
        error
            .cloned()
            .ok_or(format!("no such record: {records:#?}"))
    });
    assert_eq!(attribute(&record, "tenant_id"), TENANT, "{record:#}");
    assert_eq!(attribute(&record, "module"), "inventory", "{record:#}");

    let span = record["spanId"].as_str().expect("a span").to_owned();
    eventually(Duration::from_secs(60), || {
        let trace = jaeger_trace(&stack, TRACE).map_err(|error| error.to_string())?;
        let spans = trace
            .map(|trace| trace["spans"].clone())
            .unwrap_or_default();
        let found = spans
            .as_array()
            .into_iter()
            .flatten()
            .any(|one| one["spanID"] == *span);
        if found {
            Ok(())
        } else {
            Err(format!("no span {span}: {spans:#}"))
        }
    });
    println!(
        "the record of span {span}: {}",
        record["body"]["stringValue"]
    );

    let (status, last) = server.stop();
    assert!(status.success());
    assert!(
        last.contains("\nrustok_telemetry_log_records_lost_total{reason=\"export_failed\"} 0\n"),
        "{last}"
    );
}

/// All log records that the Collector has written.
fn records(stack: &Stack) -> Vec<Value> {
    let text = std::fs::read_to_string(stack.dir().log_records()).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let each = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    whole
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .flat_map(|request| each(&request, "resourceLogs"))
        .flat_map(|resource| each(&resource, "scopeLogs"))
        .flat_map(|scope| each(&scope, "logRecords"))
        .collect()
}

fn attribute<'record>(record: &'record Value, key: &str) -> &'record str {
    let mut attributes = record["attributes"].as_array().into_iter().flatten();
    let found = attributes.find(|attribute| attribute["key"] == key);
    found
        .and_then(|attribute| attribute["value"]["stringValue"].as_str())
        .unwrap_or_default()
}
