//! What senders should not have sent goes no further than the Collector.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use xtask::stack::query::jaeger_trace;
use xtask::stack::{Port, Stack};

use crate::server::agent;
use crate::support::{eventually, stack};

const TRACE: &str = "1f7651916cd43dd8448eb211c80319c1";
/// Part of everything that must not arrive.
const SECRET: &str = "hunter2";

/// Attributes with a secret in each, and what of them arrives.
const ATTRIBUTES: [(&str, &str, Option<&str>); 16] = [
    ("http.request.header.authorization", "Bearer hunter2", None),
    ("http.request.header.cookie", "session=hunter2", None),
    ("http.response.header.set-cookie", "session=hunter2", None),
    ("http.request.header.x-api-key", "hunter2", None),
    ("user.password", "hunter2", None),
    ("PASSWORD", "hunter2", None),
    ("client_secret", "hunter2", None),
    ("access_token", "hunter2", None),
    ("aws.credentials", "hunter2", None),
    ("url.query", "token=hunter2", None),
    (
        "url.full",
        "https://me:hunter2@example.com/a?key=hunter2#top",
        Some("https://example.com/a#top"),
    ),
    (
        "http.url",
        "http://example.com/a?key=hunter2",
        Some("http://example.com/a"),
    ),
    ("http.target", "/a?key=hunter2", Some("/a")),
    (
        "peer.address",
        "postgres://me:hunter2@db:5432/shop",
        Some("postgres://db:5432/shop"),
    ),
    (
        "db.statement",
        "SELECT 1 FROM users WHERE name = 'hunter2'",
        Some("SELECT 1 FROM users WHERE name = ?"),
    ),
    (
        "db.query.text",
        "SELECT 1 FROM users WHERE name = $1",
        Some("SELECT 1 FROM users WHERE name = $1"),
    ),
];

/// What merely looks like a secret stays.
const KEPT: [(&str, &str); 3] = [
    ("gen_ai.usage.input_tokens", "12"),
    ("messaging.kafka.message.key", "order-1"),
    ("user.email", "me@example.com"),
];

#[test]
fn secrets_are_taken_out_of_spans_events_and_log_records() {
    let stack = stack("redaction");
    send(&stack, "traces", &spans());
    send(&stack, "logs", &log_records());

    let trace = eventually(Duration::from_secs(30), || {
        let trace = jaeger_trace(&stack, TRACE).map_err(|error| error.to_string())?;
        trace.ok_or_else(|| "Jaeger has no such trace".to_owned())
    });
    let records = eventually(Duration::from_secs(30), || {
        let text = fs::read_to_string(stack.dir().log_records()).unwrap_or_default();
        let line = text.lines().find(|line| line.contains("signed in"));
        let line = line.ok_or_else(|| format!("no such record: {text}"))?;
        serde_json::from_str::<Value>(line).map_err(|error| error.to_string())
    });

    let span = &trace["spans"][0];
    let record = &records["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    for (place, attributes) in [
        ("span", pairs(&span["tags"])),
        ("event", pairs(&span["logs"][0]["fields"])),
        ("log record", pairs(&record["attributes"])),
    ] {
        for (key, _, arrives) in ATTRIBUTES {
            let found = attributes.iter().find(|(name, _)| name == key);
            let found = found.map(|(_, value)| value.as_str());
            assert_eq!(found, arrives, "{key} of the {place}");
        }
        for (key, value) in KEPT {
            let kept = (key.to_owned(), value.to_owned());
            assert!(attributes.contains(&kept), "{key} of the {place}");
        }
    }
    for everything in [&trace, &records] {
        assert!(!everything.to_string().contains(SECRET), "{everything}");
    }
}

fn spans() -> Value {
    json!({ "resourceSpans": [{ "resource": resource(), "scopeSpans": [{ "spans": [{
        "traceId": TRACE,
        "spanId": "b7ad6b7169203331",
        "name": "sign in",
        "kind": 2,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000001000000000",
        "attributes": attributes(),
        "events": [{
            "name": "seen",
            "timeUnixNano": "1700000000500000000",
            "attributes": attributes(),
        }],
    }] }] }] })
}

fn log_records() -> Value {
    json!({ "resourceLogs": [{ "resource": resource(), "scopeLogs": [{ "logRecords": [{
        "timeUnixNano": "1700000000000000000",
        "body": { "stringValue": "signed in" },
        "attributes": attributes(),
    }] }] }] })
}

fn resource() -> Value {
    json!({ "attributes": [attribute("service.name", "careless")] })
}

fn attributes() -> Value {
    let sent = ATTRIBUTES.map(|(key, value, _)| (key, value));
    let all = sent.into_iter().chain(KEPT);
    all.map(|(key, value)| attribute(key, value)).collect()
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// Sends OTLP as JSON.
fn send(stack: &Stack, signal: &str, request: &Value) {
    let url = format!("{}/v1/{signal}", stack.ports().url(Port::CollectorOtlpHttp));
    let answer = agent()
        .post(&url)
        .header("content-type", "application/json")
        .send(request.to_string());
    assert_eq!(answer.expect("an answer").status(), 200);
}

/// Keys and values, in Jaeger's words (`value`) or in OTLP's (`value.stringValue`).
fn pairs(attributes: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let attributes = attributes.as_array().into_iter().flatten();
    attributes
        .filter_map(|attribute| {
            let value = &attribute["value"];
            let value = text(value).or_else(|| text(&value["stringValue"]))?;
            Some((text(&attribute["key"])?, value))
        })
        .collect()
}
