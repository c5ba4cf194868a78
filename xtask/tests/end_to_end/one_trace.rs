//! One request is one trace, through the database, the queue, the handlers and the second process.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use xtask::stack::Stack;
use xtask::stack::query::jaeger_trace;

use crate::server::{Protocol, Server};
use crate::support::{WITH_THE_SDK, eventually, scratch, stack};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const TRACE_OF_THE_SDK: &str = "1af7651916cd43dd8448eb211c80319c";
/// All spans of an order.
const SPANS: usize = 13;

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn an_order_is_one_trace_across_processes() {
    let stack = stack("one_trace");
    let spans = trace_of_an_order(&stack, TRACE, "otlp");

    // Every span hangs below the caller's: nothing is an orphan.
    let parents: BTreeSet<_> = spans.values().map(|span| span.parent.as_str()).collect();
    let outside: Vec<_> = parents
        .iter()
        .filter(|parent| !spans.contains_key(**parent))
        .collect();
    assert_eq!(outside, [&"b7ad6b7169203331"], "{spans:#?}");
    // The second process' server span is a child of the outbound call in the first.
    let inventory = find(&spans, "rustok-inventory", EXPECTED[EXPECTED.len() - 1].1);
    let call = &spans[&inventory.parent];
    assert_eq!(
        (call.service.as_str(), &call.name),
        ("rustok-server", &inventory.name),
        "{spans:#?}"
    );
    // Nothing of the exporters' own machinery is in it.
    for span in spans.values() {
        assert!(
            !span.scope.starts_with("h2") && !span.scope.starts_with("hyper"),
            "{span:?}"
        );
    }
    println!(
        "one trace: {} spans of {:?}",
        spans.len(),
        spans.values().map(|s| &s.service).collect::<BTreeSet<_>>()
    );
    let of_the_sdk = trace_of_an_order(&stack, TRACE_OF_THE_SDK, WITH_THE_SDK);
    assert_eq!(shapes(&spans), shapes(&of_the_sdk));
}

/// Orders a lamp from a service with these exporters, and returns the spans of the trace.
fn trace_of_an_order(stack: &Stack, id: &str, exporters: &str) -> BTreeMap<String, Span> {
    let folder = scratch(&format!("one_trace_{id}"));
    let variables = [("OTEL_TRACES_EXPORTER", exporters)];
    let server = Server::start(stack, &folder, "one", Protocol::Grpc, &[], &variables);
    let (status, body) = server.order_a_lamp(id);
    assert_eq!(status, 201, "{body}");
    eventually(Duration::from_secs(60), || {
        let trace = jaeger_trace(stack, id).map_err(|error| error.to_string())?;
        let spans = trace.map(|trace| spans(&trace)).unwrap_or_default();
        let complete = EXPECTED.iter().all(|(service, name)| {
            spans
                .values()
                .any(|span| span.service == *service && span.name == *name)
        });
        match complete && spans.len() >= SPANS {
            true => Ok(()),
            false => Err(format!("incomplete: {spans:#?}")),
        }
    });
    let (status, _) = server.stop();
    assert!(status.success());
    // With all that the service had left.
    let trace = jaeger_trace(stack, id).expect("Jaeger answers");
    let spans = spans(&trace.expect("it was there"));
    assert_eq!(spans.len(), SPANS, "{spans:#?}");
    spans
}

/// The spans without ids: service, name, name of the parent, and names of the attributes.
fn shapes(spans: &BTreeMap<String, Span>) -> Vec<[String; 4]> {
    let name_of = |id: &str| spans.get(id).map_or("", |parent| &parent.name).to_owned();
    let shapes = spans.values().map(|span| {
        let parent = name_of(&span.parent);
        let (service, name) = (span.service.clone(), span.name.clone());
        [service, name, parent, span.attributes.join(" ")]
    });
    let mut shapes: Vec<_> = shapes.collect();
    shapes.sort();
    shapes
}

/// Service and span name of what the trace must have.
const EXPECTED: &[(&str, &str)] = &[
    ("rustok-server", "POST /api/orders"),
    ("rustok-server", "SELECT products"),
    ("rustok-server", "INSERT orders"),
    ("rustok-server", "event.publish"),
    ("rustok-server", "index_handler"),
    ("rustok-server", "audit_handler"),
    ("rustok-server", "POST /stock/{tenant}/{sku}/reservations"),
    (
        "rustok-inventory",
        "POST /stock/{tenant}/{sku}/reservations",
    ),
];

#[derive(Debug)]
struct Span {
    service: String,
    name: String,
    parent: String,
    scope: String,
    attributes: Vec<String>,
}

fn find<'spans>(spans: &'spans BTreeMap<String, Span>, service: &str, name: &str) -> &'spans Span {
    spans
        .values()
        .find(|span| span.service == service && span.name == name)
        .expect("it was seen")
}

fn spans(trace: &Value) -> BTreeMap<String, Span> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spans = trace["spans"].as_array().into_iter().flatten();
    spans
        .map(|span| {
            let process = text(&span["processID"]);
            let tags = span["tags"].as_array().into_iter().flatten();
            let scope = tags.clone().find(|tag| tag["key"] == "target");
            let mut attributes: Vec<_> = tags.map(|tag| text(&tag["key"])).collect();
            attributes.sort();
            let span_of = Span {
                service: text(&trace["processes"][&process]["serviceName"]),
                name: text(&span["operationName"]),
                parent: text(&span["references"][0]["spanID"]),
                scope: scope.map(|tag| text(&tag["value"])).unwrap_or_default(),
                attributes,
            };
            (text(&span["spanID"]), span_of)
        })
        .collect()
}
