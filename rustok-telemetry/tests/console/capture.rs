//! "All spans": those that the sampler drops are kept here, and are not exported.

use rustok_telemetry::console::Console;
use serde_json::{Value, json};

use crate::{
    service::{PAGE, Service, items, keys, with_console},
    support::{samples, text, with_variables},
};

#[tokio::test]
#[test_fork::fork]
async fn spans_that_the_sampler_drops_are_kept_while_it_is_on() {
    let telemetry = with_variables(&[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ])
    .console(Console::new())
    .init()
    .expect("telemetry starts");
    let service = Service::start().await;
    service.work("before").await;
    let (status, capture) = service.capture("/api/capture", 60_000).await;
    assert_eq!((status, keys(&capture)), (200, vec!["all_spans_until"]));
    let state = service.get("/api/state").await;
    let (until, now) = (capture["all_spans_until"].as_u64(), state["now"].as_u64());
    assert_eq!(state["capture"], capture);
    let left = until
        .zip(now)
        .map(|(until, now)| until - now)
        .expect("times");
    assert!((50_000..=60_000).contains(&left), "{left}");
    service.work("during").await;
    let off = service.capture("/api/capture", 0).await;
    assert_eq!(off, (200, json!({"all_spans_until": null})));
    service.work("after").await;
    let traces = service
        .wait_for("/api/traces", |traces| !items(traces).is_empty())
        .await;
    assert_eq!(items(&traces).len(), 1, "{traces:#}");
    let id = traces[0]["trace_id"].as_str().expect("an id");
    let trace = service.get(&format!("/api/traces/{id}")).await;
    let tasks: Vec<_> = items(&trace["spans"])
        .iter()
        .map(|span| (&span["attributes"]["task"], &span["sampled"]))
        .collect();
    assert_eq!(
        tasks,
        [
            (&Value::Null, &json!(false)),
            (&json!("during"), &json!(false))
        ]
    );
    // Not exported, they are neither open nor dropped.
    let text = text();
    for metric in [
        "spans_exported_total",
        "spans_lost_total",
        "span_queue_length",
    ] {
        let counts = samples(&text, &format!("rustok_telemetry_{metric}"));
        assert!(counts.values().all(|count| count == "0"), "{counts:?}");
    }
    let report = telemetry.shutdown();
    assert!(
        report.is_complete() && report.lost_spans + report.open_spans == 0,
        "{report}"
    );
    let health = rustok_telemetry::health();
    assert_eq!(
        (health.signals[0].successes, health.signals[0].failures),
        (0, 0)
    );
}

#[tokio::test]
#[test_fork::fork]
async fn capturing_is_refused_to_other_origins_and_ends() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    let url = service.url(&format!("{PAGE}/api/capture"));
    let body = "{\"all_spans_for_ms\":1000}";
    let post = || service.client.post(&url).body(body);
    let json = ("content-type", "application/json");
    for (request, expected) in [
        (post().header(json.0, json.1), 403),
        (post().header("x-rustok-console", "1"), 415),
        (
            post()
                .header("x-rustok-console", "1")
                .header(json.0, "text/plain"),
            415,
        ),
        (
            post()
                .header("x-rustok-console", "1")
                .header(json.0, json.1)
                .header("sec-fetch-site", "cross-site"),
            403,
        ),
        (
            post()
                .header("x-rustok-console", "1")
                .header(json.0, json.1)
                .body("{}"),
            400,
        ),
        (
            post()
                .header("x-rustok-console", "1")
                .header(json.0, json.1)
                .body("x".repeat(10_000)),
            400,
        ),
        (service.client.get(&url), 405),
    ] {
        let response = request.send().await.expect("a response");
        assert_eq!(response.status(), expected);
    }
    assert_eq!(
        service.get("/api/state").await["capture"]["all_spans_until"],
        Value::Null
    );
    // At most a quarter of an hour.
    let (_, capture) = service.capture("/api/capture", u64::MAX).await;
    let now = service.get("/api/state").await["now"]
        .as_u64()
        .expect("a time");
    let left = capture["all_spans_until"].as_u64().expect("a time") - now;
    assert!(left <= 900_000 && left > 800_000, "{left}");
    service.capture("/api/capture", 1).await;
    service
        .wait_for("/api/state", |state| {
            state["capture"]["all_spans_until"].is_null()
        })
        .await;
}
