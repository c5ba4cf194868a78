//! What senders should not have sent goes no further than the Collector.

mod samples;

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use xtask::stack::query::jaeger_trace;
use xtask::stack::{Port, Ports};

use self::samples::{ATTRIBUTES, KEPT, KEPT_TEXTS, SECRET, TEXTS};
use crate::collector::Collector;
use crate::server::agent;
use crate::support::{eventually, stack};

const TRACE: &str = "1f7651916cd43dd8448eb211c80319c1";

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn secrets_are_redacted_from_spans_events_and_log_records() {
    let stack = stack("redaction");
    send(stack.ports(), "traces", &spans());
    send(stack.ports(), "logs", &log_records());

    let trace = eventually(Duration::from_secs(30), || {
        let trace = jaeger_trace(&stack, TRACE).map_err(|error| error.to_string())?;
        let trace = trace.ok_or_else(|| "Jaeger has no such trace".to_owned())?;
        let spans = list(&trace["spans"]).len();
        (spans == texts().count())
            .then_some(trace)
            .ok_or_else(|| format!("{spans} spans"))
    });
    let records = eventually(Duration::from_secs(30), || {
        let text = fs::read_to_string(stack.dir().log_records()).unwrap_or_default();
        let line = text.lines().find(|line| line.contains("careless"));
        let line = line.ok_or_else(|| format!("no such record: {text}"))?;
        serde_json::from_str::<Value>(line).map_err(|error| error.to_string())
    });

    let resource = &records["resourceLogs"][0];
    let scope = &resource["scopeLogs"][0];
    for (place, attributes) in [
        ("span", &trace["spans"][0]["tags"]),
        ("event", &trace["spans"][0]["logs"][0]["fields"]),
        ("resource of spans", &trace["processes"]["p1"]["tags"]),
        ("log record", &scope["logRecords"][0]["attributes"]),
        ("scope of log records", &scope["scope"]["attributes"]),
        (
            "resource of log records",
            &resource["resource"]["attributes"],
        ),
    ] {
        let attributes = pairs(attributes);
        for (key, _, arrives) in ATTRIBUTES {
            let found = attributes.iter().find(|(name, _)| name == key);
            let found = found.map(|(_, value)| value.as_str());
            assert_eq!(found, arrives, "{key} of the {place}");
        }
        for (key, value) in KEPT {
            let kept = (key.to_owned(), value.to_owned());
            assert!(attributes.contains(&kept), "{key} of the {place}");
        }
        let added = attributes.iter().find(|(key, _)| key.contains("redact"));
        assert_eq!(added, None, "{place}");
    }
    let spans = list(&trace["spans"]);
    let names = spans.iter().map(|span| text(&span["operationName"]));
    let messages = spans.iter().map(|span| {
        let tags = pairs(&span["tags"]).into_iter();
        let mut message = tags.filter(|(key, _)| key == "otel.status_description");
        message.next().map(|(_, value)| value).unwrap_or_default()
    });
    let bodies = list(&scope["logRecords"]);
    let bodies = bodies.iter().map(|one| text(&one["body"]["stringValue"]));
    for (place, found) in [
        ("names", sorted(names)),
        ("messages of status", sorted(messages)),
        ("bodies", sorted(bodies)),
    ] {
        let arrives = texts().map(|(_, arrives)| arrives.to_owned());
        assert_eq!(found, sorted(arrives), "{place}");
    }
    for everything in [&trace, &records] {
        assert!(!everything.to_string().contains(SECRET), "{everything}");
    }
}

/// Jaeger does not show all that it is sent. What the Collector prints is everything that it hands on: attributes of
/// scopes too, and the names of spans as labels of metrics.
#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
#[serial_test::serial]
fn no_secret_leaves_the_collector_in_any_place() {
    let collector = Collector::start("redaction", &["debug"], &[]);
    send(&collector.ports, "traces", &spans());
    send(&collector.ports, "logs", &log_records());
    // What is made of spans comes last.
    let printed = eventually(Duration::from_secs(60), || {
        let printed = collector.output();
        let whole = printed.contains("traces_span_metrics_calls")
            || printed.contains("traces.span.metrics.calls");
        whole
            .then_some(printed)
            .ok_or_else(|| "no metrics of spans".to_owned())
    });
    for line in printed.lines() {
        assert!(!line.contains(SECRET), "{line}");
    }
    // Of both signals: the resource, the scope, and each span, event and record.
    let places = 2 * (1 + 1) + 3 * texts().count();
    for (key, value) in KEPT {
        let kept = printed.matches(&format!("-> {key}: Str({value})")).count();
        assert!(kept >= places, "{key} in {kept} of {places} places");
    }
    println!("{places} places with attributes, and no secret in any");
}

/// A span for each text, which is its name and the message of its status.
fn spans() -> Value {
    let span = |(number, (text, _)): (usize, (&str, &str))| {
        json!({
            "traceId": TRACE,
            "spanId": format!("b7ad6b71692033{:02x}", number + 1),
            "name": text,
            "kind": 2,
            "startTimeUnixNano": "1700000000000000000",
            "endTimeUnixNano": "1700000001000000000",
            "status": { "code": 2, "message": text },
            "attributes": attributes(),
            "events": [{
                "name": "seen",
                "timeUnixNano": "1700000000500000000",
                "attributes": attributes(),
            }],
        })
    };
    let spans: Vec<_> = texts().enumerate().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": resource(),
        "scopeSpans": [{ "scope": scope(), "spans": spans }],
    }] })
}

/// A log record for each text.
fn log_records() -> Value {
    let record = |(text, _)| {
        json!({
            "timeUnixNano": "1700000000000000000",
            "body": { "stringValue": text },
            "attributes": attributes(),
        })
    };
    let records: Vec<_> = texts().map(record).collect();
    json!({ "resourceLogs": [{
        "resource": resource(),
        "scopeLogs": [{ "scope": scope(), "logRecords": records }],
    }] })
}

fn resource() -> Value {
    let mut all = attributes();
    all.push(attribute("service.name", "careless"));
    json!({ "attributes": all })
}

fn scope() -> Value {
    json!({ "name": "careless", "attributes": attributes() })
}

/// Texts, and what of them arrives.
fn texts() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEXTS.into_iter().chain(KEPT_TEXTS.map(|text| (text, text)))
}

fn attributes() -> Vec<Value> {
    let sent = ATTRIBUTES.map(|(key, value, _)| (key, value));
    let all = sent.into_iter().chain(KEPT);
    all.map(|(key, value)| attribute(key, value)).collect()
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// Sends OTLP as JSON.
fn send(ports: &Ports, signal: &str, request: &Value) {
    let url = format!("{}/v1/{signal}", ports.url(Port::CollectorOtlpHttp));
    let answer = agent()
        .post(&url)
        .header("content-type", "application/json")
        .send(request.to_string());
    assert_eq!(answer.expect("an answer").status(), 200);
}

/// Keys and values, in Jaeger's words (`value`) or in OTLP's (`value.stringValue`).
fn pairs(attributes: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let pair = |attribute: Value| {
        let value = &attribute["value"];
        let value = text(value).or_else(|| text(&value["stringValue"]))?;
        Some((text(&attribute["key"])?, value))
    };
    list(attributes).into_iter().filter_map(pair).collect()
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts
}
