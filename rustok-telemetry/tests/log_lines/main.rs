//! The log lines on standard error tell the trace, the span and the tenant that they belong to.

mod hostile_tenants;
mod hostile_text;
mod own_subscriber;
#[path = "../support/mod.rs"]
mod support;

use std::process::Command;

use axum::{Router, http::StatusCode, routing::get};
use rustok_telemetry::{
    LogFormat, Telemetry,
    config::TelemetryConfig,
    http::TelemetryLayer,
    propagation::{EventContext, inject_headers},
};
use serde_json::Value;
use support::{request::ask, text_only};

/// Runs a test once more in a process of its own, and gives the lines on its standard error. In that process it does
/// `work`, and gives nothing.
fn lines(test: &str, rust_log: &str, work: impl FnOnce()) -> Option<Vec<String>> {
    const AGAIN: &str = "LOG_LINES_AGAIN";
    if std::env::var_os(AGAIN).is_some() {
        work();
        return None;
    }
    let output = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", test, "--nocapture"])
        .env(AGAIN, "1")
        .env("RUST_LOG", rust_log)
        .output()
        .expect("the test runs again");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(!text.is_empty(), "no lines");
    Some(text.lines().map(str::to_owned).collect())
}

fn start(format: LogFormat) -> Telemetry {
    text_only()
        .log_format(format)
        .init()
        .expect("telemetry starts")
}

/// The current span as a caller would be told it: version, trace, span and flags.
fn traceparent() -> String {
    let mut headers = http::HeaderMap::new();
    inject_headers(&mut headers);
    headers["traceparent"].to_str().expect("text").to_owned()
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Asserts that a line has the ids that its event has written as a field.
#[track_caller]
fn assert_ids(line: &Value) {
    let context = line["fields"]["traceparent"].as_str().expect("a field");
    let ids: Vec<_> = context.split('-').collect();
    assert_eq!(line["trace_id"], ids[1], "{line}");
    assert_eq!(line["span_id"], ids[2], "{line}");
}

fn has_no(line: &Value, key: &str) -> bool {
    line.get(key).is_none()
}

#[test]
fn a_json_line_has_the_ids_of_its_span() {
    let Some(lines) = lines("a_json_line_has_the_ids_of_its_span", "info", || {
        let telemetry = start(LogFormat::Json);
        tracing::info!("outside");
        let request = tracing::info_span!("request", tenant_id = "acme").entered();
        tracing::info!(traceparent = traceparent(), "in the request");
        {
            let _query = tracing::info_span!("query").entered();
            tracing::info!(traceparent = traceparent(), "in the query");
        }
        drop(request);
        let _plain = tracing::info_span!("plain").entered();
        tracing::info!(traceparent = traceparent(), "without a tenant");
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    let lines: Vec<_> = lines.iter().map(|line| json(line)).collect();
    let [outside, request, query, plain] = &lines[..] else {
        panic!("{lines:?}");
    };
    for key in ["trace_id", "span_id", "tenant_id"] {
        assert!(has_no(outside, key), "{outside}");
    }
    for line in [request, query, plain] {
        assert_ids(line);
    }
    assert_eq!(request["trace_id"], query["trace_id"]);
    assert_ne!(request["span_id"], query["span_id"]);
    assert_ne!(request["trace_id"], plain["trace_id"]);
    assert_eq!(request["tenant_id"], "acme");
    assert_eq!(query["tenant_id"], "acme", "inherited");
    assert!(has_no(plain, "tenant_id"), "{plain}");
    assert_eq!(query["span"]["name"], "query", "the rest stays: {query}");
    assert_eq!(query["level"], "INFO");
}

#[test]
fn spans_hidden_by_rust_log_provide_ids() {
    let test = "spans_hidden_by_rust_log_provide_ids";
    let Some(lines) = lines(test, "warn", || {
        let telemetry = start(LogFormat::Json);
        let _request = tracing::info_span!("request", tenant_id = "acme").entered();
        tracing::info!("hidden");
        tracing::warn!(traceparent = traceparent(), "seen");
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = json(&lines[0]);
    assert!(has_no(&line, "span"), "it is hidden: {line}");
    assert_ids(&line);
    assert_eq!(line["tenant_id"], "acme");
}

#[test]
fn a_directive_about_a_span_holds_while_it_is_entered() {
    let test = "a_directive_about_a_span_holds_while_it_is_entered";
    let Some(lines) = lines(test, "warn,[checkout]=debug", || {
        let telemetry = start(LogFormat::Json);
        tracing::debug!("before");
        let checkout = tracing::info_span!("checkout");
        checkout.in_scope(|| tracing::debug!("within"));
        tracing::debug!("after");
        checkout.in_scope(|| tracing::debug!("within again"));
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    let seen = |line: &String| json(line)["fields"]["message"].clone();
    let seen: Vec<_> = lines.iter().map(seen).collect();
    assert_eq!(seen, ["within", "within again"]);
}

#[test]
fn a_text_line_ends_with_the_ids() {
    let Some(lines) = lines("a_text_line_ends_with_the_ids", "warn", || {
        let telemetry = start(LogFormat::Human);
        tracing::warn!("outside");
        let _request = tracing::info_span!("request", tenant_id = "acme").entered();
        tracing::warn!(traceparent = traceparent(), "low stock");
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    let [outside, within] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(outside.ends_with(" WARN log_lines: outside"), "{outside}");
    let context = within.split("traceparent=\"").nth(1).expect("a field");
    let ids: Vec<_> = context.split(['-', '"']).collect();
    let end = format!(" trace_id={} span_id={} tenant_id=acme", ids[1], ids[2]);
    assert!(within.contains(" WARN log_lines: low stock "), "{within}");
    assert!(within.ends_with(&end), "{within}");
    assert!(!within.contains('\u{1b}'), "not a terminal: {within:?}");
}

#[test]
fn records_of_the_log_crate_are_lines_too() {
    let test = "records_of_the_log_crate_are_lines_too";
    let Some(lines) = lines(test, "warn", || {
        let telemetry = start(LogFormat::Json);
        let _request = tracing::info_span!("request", tenant_id = "acme").entered();
        log::warn!(target: "shop::stock", "low");
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    let line = json(&lines[0]);
    assert_eq!(line["target"], "shop::stock", "{line}");
    assert_eq!(line["tenant_id"], "acme");
    assert!(!has_no(&line, "trace_id"), "{line}");
}

#[test]
fn an_event_belongs_to_its_explicit_parent() {
    let test = "an_event_belongs_to_its_explicit_parent";
    let Some(lines) = lines(test, "warn", || {
        let telemetry = start(LogFormat::Json);
        let other = tracing::info_span!("other", tenant_id = "globex");
        let expected = other.in_scope(traceparent);
        let _request = tracing::info_span!("request", tenant_id = "acme").entered();
        tracing::warn!(parent: &other, traceparent = expected, "of the other");
        tracing::warn!(parent: None, "of none");
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    let [other, none] = &lines[..] else {
        panic!("{lines:?}");
    };
    let (other, none) = (json(other), json(none));
    assert_ids(&other);
    assert_eq!(other["tenant_id"], "globex");
    for key in ["trace_id", "span_id", "tenant_id"] {
        assert!(has_no(&none, key), "{none}");
    }
}

#[test]
fn a_filter_from_code_overrides_rust_log() {
    let Some(lines) = lines("a_filter_from_code_overrides_rust_log", "debug", || {
        let mut config = TelemetryConfig::from_vars([
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "none"),
        ])
        .expect("a configuration");
        config.log_filter.set("warn".to_owned());
        let telemetry = rustok_telemetry::builder().config(config).init();
        let telemetry = telemetry.expect("telemetry starts");
        tracing::info!("hidden");
        tracing::warn!("shown");
        let _ = telemetry.shutdown();
    }) else {
        return;
    };
    assert!(lines.iter().any(|line| line.contains("shown")), "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.contains("hidden")),
        "{lines:?}"
    );
}

#[test]
fn lines_of_requests_omit_protocol_and_scheme() {
    let test = "lines_of_requests_omit_protocol_and_scheme";
    let Some(lines) = lines(test, "info", || {
        let _telemetry = start(LogFormat::Human);
        let products = Router::new().route("/products", get(|| async { tracing::info!("asked") }));
        let app = TelemetryLayer::new().wrap(products);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let answered = runtime.block_on(ask(app, "/products", None, &[]));
        assert_eq!(answered.0, StatusCode::OK);
    }) else {
        return;
    };
    let line = lines.iter().find(|line| line.contains("asked"));
    let (_, line) = line.and_then(|line| line.split_once('Z')).expect("a line");
    assert!(
        line.starts_with(
            "  INFO http_request{http.request.method=\"GET\" http.route=\"/products\" \
             url.path=\"/products\"}: log_lines: asked trace_id="
        ),
        "{line}"
    );
}

#[test]
fn a_late_parent_is_logged_once() {
    let Some(lines) = lines("a_late_parent_is_logged_once", "info", || {
        let _telemetry = start(LogFormat::Human);
        let context = EventContext::current();
        for _ in 0..3 {
            let span = tracing::info_span!("handle_event");
            let _entered = span.enter();
            context.follow(&span);
        }
        let in_time = tracing::info_span!("in_time");
        context.follow(&in_time);
    }) else {
        return;
    };
    let late: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("keeps its parent"))
        .collect();
    assert_eq!(late.len(), 1, "{lines:#?}");
    assert!(late[0].contains("`handle_event`"), "{late:?}");
}

#[test]
fn a_second_http_layer_is_logged_once() {
    let Some(lines) = lines("a_second_http_layer_is_logged_once", "info", || {
        let _telemetry = start(LogFormat::Human);
        let products = Router::new().route("/products", get(|| async { "a lamp" }));
        let app = TelemetryLayer::new().wrap(products.layer(TelemetryLayer::new()));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        for _ in 0..3 {
            let answered = runtime.block_on(ask(app.clone(), "/products", None, &[]));
            assert_eq!(answered.0, StatusCode::OK);
        }
    }) else {
        return;
    };
    let mistaken = lines
        .iter()
        .filter(|line| line.contains("two `TelemetryLayer`s"));
    assert_eq!(mistaken.count(), 1, "{lines:#?}");
}

#[test]
fn one_http_layer_is_not_logged() {
    let Some(lines) = lines("one_http_layer_is_not_logged", "info", || {
        let _telemetry = start(LogFormat::Human);
        let app = Router::new().route("/products", get(|| async { "a lamp" }));
        let app = TelemetryLayer::new().wrap(app);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let answered = runtime.block_on(ask(app.clone(), "/api/_health/metrics", None, &[]));
        assert_eq!(answered.0, StatusCode::OK);
        let answered = runtime.block_on(ask(app, "/products", None, &[]));
        assert_eq!(answered.0, StatusCode::OK);
        tracing::info!("answered");
    }) else {
        return;
    };
    assert!(
        lines.iter().any(|line| line.contains("answered")),
        "{lines:#?}"
    );
    assert!(
        !lines.iter().any(|line| line.contains("TelemetryLayer")),
        "{lines:#?}"
    );
}

#[test]
fn mistakes_at_the_start_are_logged() {
    let Some(lines) = lines("mistakes_at_the_start_are_logged", "info", || {
        rustok_telemetry::metrics::record_event_published("TooEarly", "acme");
        let _ = start(LogFormat::Human);
    }) else {
        return;
    };
    for expected in [
        "made before telemetry started: 1. Start telemetry first",
        "If the service has not ended, keep the guard in a named variable",
    ] {
        let count = lines.iter().filter(|line| line.contains(expected)).count();
        assert_eq!(count, 1, "{expected} in {lines:#?}");
    }
}
