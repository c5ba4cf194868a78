//! What goes into the stack by OTLP comes out under the same names.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use xtask::stack::query::{jaeger_services, jaeger_trace, prometheus_api, prometheus_query};
use xtask::stack::{Port, Stack};

const TRACE_ID: &str = "5b8efff798038103d269b633813fc60c";

#[test]
#[cfg_attr(
    stack_missing,
    ignore = "needs Go and the stack: run `cargo xtask stack build`"
)]
fn names_labels_and_traces_arrive_as_sent() {
    let stack = Stack::builder()
        .run_dir(Path::new(env!("CARGO_TARGET_TMPDIR")).join("telemetry"))
        .free_ports()
        .scrape_interval(Duration::from_secs(1))
        .up()
        .expect("a stack");

    serve_metrics(stack.ports().get(Port::Application));
    let application = stack.ports().address(Port::Application);
    stack
        .scrape_service("demo", &application)
        .expect("the target file is written");
    send(&stack, "metrics", &metrics());
    send(&stack, "traces", &traces());

    // The counter without `_total`, the one with it, a gauge with unit "1", a histogram.
    for (query, value) in [
        ("rustok_http_requests_by_endpoint", 7.0),
        ("rustok_http_requests_total", 9.0),
        ("rustok_cache_hit_rate", 0.5),
        ("rustok_http_request_duration_seconds_count", 3.0),
        (
            "rustok_http_request_duration_seconds_bucket{le=\"0.5\"}",
            2.0,
        ),
    ] {
        let samples = eventually(query, || prometheus_query(&stack, query).ok());
        assert_eq!(samples.len(), 1, "{query}: {samples:?}");
        assert_eq!(samples[0].value, value, "{query}");
        assert_eq!(samples[0].label("job"), "demo", "{query}");
        assert_eq!(samples[0].label("instance"), "instance-1", "{query}");
        assert_eq!(samples[0].label("exported_job"), "", "{query}");
    }
    let names = prometheus_api(&stack, "label/__name__/values", &[]).expect("names");
    let ours = names
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let ours: Vec<_> = ours.filter(|name| name.starts_with("rustok_")).collect();
    assert_eq!(
        ours,
        [
            "rustok_cache_hit_rate",
            "rustok_http_request_duration_seconds_bucket",
            "rustok_http_request_duration_seconds_count",
            "rustok_http_request_duration_seconds_sum",
            "rustok_http_requests_by_endpoint",
            "rustok_http_requests_total",
        ]
    );

    // Every job is scraped. The application's own copy of a metric is not stored beside the one
    // that it pushed.
    eventually("six jobs that are up", || {
        let up = prometheus_query(&stack, "up == 1").ok()?;
        (up.len() == 6).then_some(up)
    });
    let samples = prometheus_query(&stack, "rustok_http_requests_total");
    assert_eq!(samples.expect("an answer").len(), 1);

    let trace = eventually("the trace", || {
        Some(jaeger_trace(&stack, TRACE_ID).ok()?.into_iter().collect())
    });
    assert_eq!(trace[0]["spans"][0]["operationName"], "GET /products");
    let services = jaeger_services(&stack).expect("services");
    assert_eq!(services, ["demo"]);
    let unknown = jaeger_trace(&stack, "00000000000000000000000000000001");
    assert_eq!(unknown.expect("an answer"), None);
}

/// Asks again and again until something comes back.
fn eventually<T>(what: &str, ask: impl Fn() -> Option<Vec<T>>) -> Vec<T> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match ask() {
            Some(found) if !found.is_empty() => return found,
            _ if Instant::now() > deadline => panic!("{what}: nothing after 30 s"),
            _ => sleep(Duration::from_millis(200)),
        }
    }
}

fn send(stack: &Stack, signal: &str, body: &Value) {
    let url = format!("{}/v1/{signal}", stack.ports().url(Port::CollectorOtlpHttp));
    // No proxy, whatever the environment says: it is this machine.
    let agent = ureq::Agent::config_builder()
        .proxy(None)
        .build()
        .new_agent();
    let answer = agent.post(&url).send_json(body);
    let answer = answer.expect("the Collector accepts it");
    assert_eq!(answer.status(), 200);
}

/// An application whose endpoint shows one of the metrics that it also pushes.
fn serve_metrics(port: u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the port is free");
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\
         Content-Length: 29\r\nConnection: close\r\n\r\nrustok_http_requests_total 9\n";
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // One read is enough for the request of a scrape.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
}

fn metrics() -> Value {
    let now = nanoseconds();
    let sum = |value: u32| {
        json!({"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [
            {"startTimeUnixNano": now, "timeUnixNano": now, "asInt": value.to_string()}]})
    };
    json!({"resourceMetrics": [{"resource": resource(), "scopeMetrics": [{"scope": {"name": "test"}, "metrics": [
        {"name": "rustok_http_requests_by_endpoint", "sum": sum(7)},
        {"name": "rustok_http_requests_total", "sum": sum(9)},
        {"name": "rustok_cache_hit_rate", "unit": "1", "gauge": {"dataPoints": [
            {"timeUnixNano": now, "asDouble": 0.5}]}},
        {"name": "rustok_http_request_duration_seconds", "unit": "s", "histogram": {
            "aggregationTemporality": 2, "dataPoints": [{"startTimeUnixNano": now,
            "timeUnixNano": now, "count": "3", "sum": 0.9, "bucketCounts": ["1", "1", "1"],
            "explicitBounds": [0.1, 0.5]}]}},
    ]}]}]})
}

fn traces() -> Value {
    let now = nanoseconds();
    json!({"resourceSpans": [{"resource": resource(), "scopeSpans": [{"scope": {"name": "test"}, "spans": [
        {"traceId": TRACE_ID, "spanId": "eee19b7ec3c1b174", "name": "GET /products", "kind": 2,
         "startTimeUnixNano": now, "endTimeUnixNano": now}]}]}]})
}

fn resource() -> Value {
    json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": "demo"}},
        {"key": "service.instance.id", "value": {"stringValue": "instance-1"}}]})
}

fn nanoseconds() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_nanos().to_string()
}
