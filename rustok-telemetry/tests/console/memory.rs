//! Memory stays within its limit, whatever the service does.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, global};
use peak_alloc::PeakAlloc;
use rustok_telemetry::console::Console;
use serde_json::Value;

use crate::{
    service::{Service, items},
    support::text_only,
};

const LIMIT: u64 = 8 << 20;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

fn limited() -> rustok_telemetry::Builder {
    text_only().console(Console::new().memory_limit(LIMIT as usize))
}

fn bytes(state: &Value, part: &str) -> u64 {
    state["memory"][part].as_u64().expect("a number")
}

/// Returns the bytes that are allocated. Resident memory is more: the allocator keeps freed memory.
fn allocated() -> u64 {
    ALLOCATED.current_usage() as u64
}

#[track_caller]
fn assert_grown_within_limit(before: u64) {
    let now = allocated();
    assert!(
        now < before + LIMIT / 2,
        "{before} bytes before, {now} bytes now"
    );
}

fn work(from: usize, to: usize) {
    for number in from..to {
        let span = tracing::info_span!(
            "work",
            number,
            payload = "a text of some length, as spans have it"
        );
        let _entered = span.entered();
        if number % 4 == 0 {
            tracing::info!(number, "worked");
        }
    }
}

#[tokio::test]
#[test_fork::fork]
async fn many_spans_and_log_lines_stay_within_the_limit() {
    let _telemetry = limited().init().expect("telemetry starts");
    let service = Service::start().await;
    // Under this load, only a share would be kept.
    service.capture("/api/capture", 600_000).await;
    work(0, 20_000);
    service.get("/api/state").await;
    let before = allocated();
    for round in 1..=20 {
        work(round * 10_000, (round + 1) * 10_000);
        let state = service.get("/api/state").await;
        assert!(bytes(&state, "used") <= LIMIT, "{state:#}");
        assert!(
            bytes(&state, "spans") <= LIMIT / 2 && bytes(&state, "logs") <= LIMIT / 4,
            "{state:#}"
        );
    }
    let state = service.get("/api/state").await;
    let kept = state["kept"]["spans"].as_u64().expect("a number");
    assert!((1_000..20_000).contains(&kept), "{state:#}");
    assert!(
        state["kept"]["log_lines"].as_u64() > Some(1_000),
        "{state:#}"
    );
    assert!(bytes(&state, "spans") > LIMIT / 4, "{state:#}");
    // What came last is there.
    let traces = service.get("/api/traces?limit=1").await;
    let id = traces[0]["trace_id"].as_str().expect("an id");
    let trace = service.get(&format!("/api/traces/{id}")).await;
    assert_eq!(trace["spans"][0]["attributes"]["number"], 209_999);
    assert_grown_within_limit(before);
}

/// Requests with two spans, the inner one first, and a log line.
fn request(number: usize, fails: bool) {
    let request = tracing::info_span!("request", number);
    let _entered = request.entered();
    tracing::info_span!("read").in_scope(|| tracing::info!(number, "read"));
    if fails {
        tracing::info_span!("write", otel.status_code = "ERROR")
            .in_scope(|| tracing::warn!("failed"));
    }
}

#[tokio::test]
#[test_fork::fork]
async fn under_load_failures_are_kept_with_all_their_spans() {
    let _telemetry = limited().init().expect("telemetry starts");
    let service = Service::start().await;
    let started = Instant::now();
    let mut requests = 0;
    let state = loop {
        assert!(started.elapsed() < Duration::from_secs(30));
        for number in requests..requests + 1_000 {
            request(number, false);
        }
        requests += 1_000;
        let state = service.get("/api/state").await;
        if state["thinned"]["kept_share"].as_f64() < Some(0.5) {
            break state;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for failing in 0..20 {
        (0..10).for_each(|number| request(number, false));
        request(1_000_000 + failing, true);
    }
    let failed = service.get("/api/traces?status=error&limit=100").await;
    assert_eq!(items(&failed).len(), 20, "{state:#}");
    for trace in items(&failed) {
        let id = trace["trace_id"].as_str().expect("an id");
        let trace = service.get(&format!("/api/traces/{id}")).await;
        let names: BTreeSet<_> = items(&trace["spans"])
            .iter()
            .filter_map(|span| span["name"].as_str())
            .collect();
        assert_eq!(
            names,
            BTreeSet::from(["read", "request", "write"]),
            "{trace:#}"
        );
    }
    let warnings = service.get("/api/logs?level=warn&limit=100").await;
    assert_eq!(items(&warnings["lines"]).len(), 20);
    let state = service.get("/api/state").await;
    assert!(
        state["thinned"]["log_lines"].as_u64() > Some(0),
        "{state:#}"
    );
}

#[tokio::test]
#[test_fork::fork]
async fn errors_and_slow_traces_outlive_a_flood() {
    let _telemetry = limited().init().expect("telemetry starts");
    let service = Service::start().await;
    service
        .work("a-task-that-takes-long-for-its-many-letters")
        .await;
    service.work("fail").await;
    for round in 0..5 {
        work(round * 5_000, (round + 1) * 5_000);
        service.get("/api/state").await;
    }
    let failed = service.get("/api/traces?status=error").await;
    assert_eq!(
        (items(&failed).len(), &failed[0]["kept_for"]),
        (1, &"error".into())
    );
    let slow = service.get("/api/traces?operation=step&status=ok").await;
    assert_eq!(
        (items(&slow).len(), &slow[0]["kept_for"]),
        (1, &"slow".into()),
        "{slow:#}"
    );
    let flood = service.get("/api/traces?operation=work&limit=1000").await;
    assert!(
        items(&flood)
            .iter()
            .any(|trace| trace["kept_for"] == "recent")
    );
}

#[tokio::test]
#[test_fork::fork]
async fn many_series_stay_within_the_limit() {
    let _telemetry = limited().init().expect("telemetry starts");
    let service = Service::start().await;
    let meter = global::meter("foreign");
    let mut counters = Vec::new();
    for metric in 0..10 {
        let counter = meter.u64_counter(format!("many.{metric}")).build();
        for number in 0..1_000_i64 {
            counter.add(
                1,
                &[
                    KeyValue::new("number", number),
                    KeyValue::new("text", "t".repeat(200)),
                ],
            );
        }
        counters.push(counter);
    }
    let is_sampled = |state: &Value| {
        state["kept"]["series"].as_u64() > Some(2_000) && state["ticks"].as_u64() > Some(2)
    };
    let state = service.wait_for("/api/state", is_sampled).await;
    assert!(bytes(&state, "metrics") <= LIMIT / 4, "{state:#}");
    let (kept, not_kept) = (&state["kept"]["series"], &state["not_kept"]["series"]);
    let sum = kept
        .as_u64()
        .zip(not_kept.as_u64())
        .map(|(kept, not_kept)| kept + not_kept);
    assert!(
        not_kept.as_u64() > Some(1_000) && sum > Some(10_000),
        "{state:#}"
    );
    let shown = service.get("/api/telemetry").await;
    assert!(
        shown["problems"].to_string().contains("no room"),
        "{shown:#}"
    );
    let answer = service.get("/api/series?metric=many.0&by=").await;
    assert!(!items(&answer["ticks"]).is_empty());
}

#[tokio::test]
#[test_fork::fork]
async fn huge_names_lines_and_traces_stay_within_the_limit() {
    let _telemetry = limited().init().expect("telemetry starts");
    let service = Service::start().await;
    work(0, 20_000);
    service.get("/api/state").await;
    let before = allocated();
    let (name, line) = ("n".repeat(100_000), "l".repeat(200_000));
    for round in 0..10 {
        for number in 0..20 {
            drop(
                tracing::info_span!("work", otel.name = format!("{round} {number} {name}"))
                    .entered(),
            );
            tracing::info!("{line}");
            // Takes what waits, even if the thread of the console does not get to run.
            service.get("/api/state").await;
        }
        let whole = tracing::info_span!("whole").entered();
        for number in 0..5_000 {
            drop(
                tracing::info_span!("part", number, otel.name = format!("{round} {number}"))
                    .entered(),
            );
        }
        drop(whole);
        for number in 0..5_000 {
            drop(tracing::info_span!("one", otel.name = format!("{round} {number}")).entered());
        }
        let state = service.get("/api/state").await;
        assert!(bytes(&state, "used") <= LIMIT, "{state:#}");
    }
    assert_grown_within_limit(before);
}
