//! The history of metrics of every kind.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use opentelemetry::{KeyValue, global};
use rustok_telemetry::metrics;
use serde_json::{Value, json};

use crate::service::{Service, items, keys, with_console};

#[rustok_telemetry::metrics(namespace = "observed")]
mod observed {
    /// Open files by owner.
    #[observable_gauge(name = "open_files", observe = super::open_files)]
    fn open_files(owner: &str) -> u64;
}
static IS_BLOCKED: AtomicBool = AtomicBool::new(false);
static IS_READ: AtomicBool = AtomicBool::new(false);

fn open_files(report: &mut dyn FnMut([&str; 1], u64)) {
    IS_READ.store(true, Ordering::Relaxed);
    while IS_BLOCKED.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(10));
    }
    report(["acme"], 3);
    report(["globex"], 4);
}

/// The values at the last sample, by labels.
fn last(answer: &Value, metric: &str, column: &str) -> Vec<(Value, Value)> {
    let mut last: Vec<_> = items(&answer["metrics"][metric]["series"])
        .iter()
        .map(|series| {
            let value = items(&series[column]).last().cloned().unwrap_or_default();
            (series["labels"].clone(), value)
        })
        .collect();
    last.sort_by_key(|(labels, _)| labels.to_string());
    last
}

#[tokio::test]
#[test_fork::fork]
async fn metrics_of_every_kind_have_a_history() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    let meter = global::meter("foreign");
    let queued = meter
        .i64_up_down_counter("foreign.queued")
        .with_unit("{job}")
        .with_description("Jobs.")
        .build();
    let waited = meter
        .f64_histogram("foreign.waited")
        .with_boundaries(vec![1.0, 5.0])
        .build();
    queued.add(-3, &[KeyValue::new("queue", "mail")]);
    waited.record(0.5, &[]);
    waited.record(7.0, &[]);
    metrics::record_event_published("Created", "acme");
    metrics::record_event_published("Created", "globex");
    metrics::record_event_published("Deleted", "acme");
    metrics::update_queue_depth("in_memory", 12);
    service.work("one").await;
    let published = "rustok_event_bus_published_total";
    let duration = "rustok_http_request_duration_seconds";
    let path = format!(
        "/api/series?metric={published}&metric={duration}&metric=rustok_event_bus_queue_depth&metric=observed_open_files&metric=foreign.queued&metric=foreign.waited&metric=none"
    );
    let answer = service
        .wait_for(&path, |answer| {
            items(&answer["ticks"]).len() > 1 && last(answer, duration, "count").len() == 1
        })
        .await;
    assert_eq!(
        answer["metrics"].as_object().map(|all| all.len()),
        Some(6),
        "{answer:#}"
    );
    assert_eq!(answer["metrics"][published]["kind"], "counter");
    assert_eq!(
        last(&answer, published, "values"),
        [
            (
                json!({"event_type": "Created", "tenant_id": "acme"}),
                json!(1)
            ),
            (
                json!({"event_type": "Created", "tenant_id": "globex"}),
                json!(1)
            ),
            (
                json!({"event_type": "Deleted", "tenant_id": "acme"}),
                json!(1)
            ),
        ]
    );
    assert_eq!(
        answer["metrics"]["rustok_event_bus_queue_depth"]["kind"],
        "gauge"
    );
    let depth = last(&answer, "rustok_event_bus_queue_depth", "values");
    assert_eq!(depth, [(json!({"transport": "in_memory"}), json!(12))]);
    let files = [
        (json!({"owner": "acme"}), json!(3)),
        (json!({"owner": "globex"}), json!(4)),
    ];
    assert_eq!(last(&answer, "observed_open_files", "values"), files);
    let foreign = &answer["metrics"]["foreign.queued"];
    assert_eq!(
        (&foreign["kind"], &foreign["unit"], &foreign["help"]),
        (&json!("up_down_counter"), &json!("{job}"), &json!("Jobs."))
    );
    assert_eq!(
        last(&answer, "foreign.queued", "values"),
        [(json!({"queue": "mail"}), json!(-3))]
    );
    let waited = &answer["metrics"]["foreign.waited"];
    assert_eq!(
        (&waited["kind"], &waited["bounds"]),
        (&json!("histogram"), &json!([1.0, 5.0]))
    );
    assert_eq!(
        last(&answer, "foreign.waited", "buckets"),
        [(json!({}), json!([1, 0, 1]))]
    );
    assert_eq!(
        last(&answer, "foreign.waited", "sum"),
        [(json!({}), json!(7.5))]
    );
    let exemplars = service
        .get(&format!("/api/exemplars?metric={duration}"))
        .await;
    let exemplar = &items(&exemplars)[0];
    assert_eq!(
        exemplar["labels"],
        json!({"method": "GET", "path": "/tasks/{task}"})
    );
    let trace = exemplar["trace_id"].as_str().expect("an id");
    let trace = service.get(&format!("/api/traces/{trace}")).await;
    assert!(
        items(&trace["spans"])
            .iter()
            .any(|span| span["span_id"] == exemplar["span_id"]),
        "{trace:#}"
    );
    let times = &answer["metrics"][duration];
    let bounds = items(&times["bounds"]).len();
    assert_eq!(
        (&times["unit"], &times["kind"]),
        (&json!("s"), &json!("histogram"))
    );
    let series = &times["series"][0];
    let ticks = items(&answer["ticks"]).len();
    for column in ["count", "sum", "buckets"] {
        assert_eq!(items(&series[column]).len(), ticks, "{column}");
    }
    let buckets = items(&series["buckets"]).last().expect("a sample").clone();
    assert_eq!(items(&buckets).len(), bounds + 1);
    assert_eq!(last(&answer, duration, "count")[0].1, 1);
    // Nothing was there before it was recorded.
    let all = [answer["metrics"][published]["series"][0]["values"][0].clone()];
    assert!(all == [json!(1)] || all == [Value::Null], "{all:?}");

    for (query, expected) in [
        (
            "by=tenant_id",
            vec![
                (json!({"tenant_id": "acme"}), json!(2)),
                (json!({"tenant_id": "globex"}), json!(1)),
            ],
        ),
        ("by=", vec![(json!({}), json!(3))]),
        ("by=&match=tenant_id%3Dacme", vec![(json!({}), json!(2))]),
        (
            "match=event_type=Deleted",
            vec![(
                json!({"event_type": "Deleted", "tenant_id": "acme"}),
                json!(1),
            )],
        ),
        ("match=event_type=None", vec![]),
        (
            "by=none&by=event_type",
            vec![
                (json!({"event_type": "Created", "none": ""}), json!(2)),
                (json!({"event_type": "Deleted", "none": ""}), json!(1)),
            ],
        ),
    ] {
        let answer = service
            .get(&format!("/api/series?metric={published}&{query}"))
            .await;
        assert_eq!(last(&answer, published, "values"), expected, "{query}");
    }

    let ticks = items(&answer["ticks"])
        .last()
        .and_then(Value::as_u64)
        .expect("a time");
    let path = format!("/api/series?metric={published}&since={ticks}");
    let later = service
        .wait_for(&path, |answer| !items(&answer["ticks"]).is_empty())
        .await;
    assert!(
        items(&later["ticks"])
            .iter()
            .all(|tick| tick.as_u64() > Some(ticks))
    );
    let values = items(&later["metrics"][published]["series"][0]["values"]).len();
    assert_eq!(values, items(&later["ticks"]).len());
    for query in ["metric=a&match=b", "metric=a&since=x", ""] {
        assert_eq!(
            service.answer(&format!("/api/series?{query}")).await.0,
            400,
            "{query}"
        );
    }

    let list = service.get("/api/metrics").await;
    let find = |name: &str| {
        items(&list)
            .iter()
            .find(|metric| metric["name"] == name)
            .cloned()
    };
    let entry = find(published).expect("in the list");
    let help = entry["help"].as_str().expect("text").to_owned();
    assert!(!help.is_empty());
    assert_eq!(
        entry,
        json!({
            "name": published, "help": help, "unit": "", "kind": "counter",
            "labels": ["event_type", "tenant_id"], "series": 3,
        })
    );
    assert_eq!(
        find("foreign.queued").map(|metric| metric["series"].clone()),
        Some(json!(1))
    );
}

#[tokio::test]
#[test_fork::fork]
async fn a_callback_that_panics_does_not_end_the_history() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let _guard = metrics::before_collection(|| panic!("as tests do"));
    let service = Service::start().await;
    metrics::record_event_published("Created", "acme");
    let path = "/api/series?metric=rustok_event_bus_published_total";
    service
        .wait_for(path, |answer| items(&answer["ticks"]).len() > 1)
        .await;
}

#[tokio::test]
#[test_fork::fork]
async fn a_callback_that_blocks_does_not_block_the_page() {
    IS_BLOCKED.store(true, Ordering::Relaxed);
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    while !IS_READ.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for path in [
        "/api/state",
        "/api/metrics",
        "/api/series?metric=a",
        "/api/telemetry",
        "/api/traces",
    ] {
        let answer = tokio::time::timeout(Duration::from_secs(10), service.get(path));
        assert!(answer.await.is_ok(), "{path}");
    }
    IS_BLOCKED.store(false, Ordering::Relaxed);
}

/// Each would be another copy of the values.
#[tokio::test]
#[test_fork::fork]
async fn repeated_and_many_parameters_are_bounded() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    let metrics = service
        .wait_for("/api/metrics", |metrics| !items(metrics).is_empty())
        .await;
    let name = metrics[0]["name"].as_str().expect("a name");
    let metric = format!("metric={name}");
    let repeated = format!("{metric}&").repeat(1_000);
    let response = service
        .send(&format!("/api/series?{repeated}by=&since={}", u64::MAX))
        .await;
    let text = response.text().await.expect("a body");
    assert_eq!(text.matches("\"series\"").count(), 1, "{text}");
    for name in ["metric", "by", "match"] {
        let many = (0..1_000).map(|number| format!("&{name}={number}=1"));
        let many: String = many.collect();
        let (status, answer) = service.answer(&format!("/api/series?{metric}{many}")).await;
        assert_eq!((status, keys(&answer)), (400, vec!["error"]));
    }
}

#[tokio::test]
#[test_fork::fork]
async fn the_prefix_of_the_service_is_that_of_the_history() {
    let builder = with_console().metric_prefix("shop").without_tenants();
    let _telemetry = builder.init().expect("telemetry starts");
    let service = Service::start().await;
    assert_eq!(service.get("/api/state").await["metric_prefix"], "shop");
    metrics::record_event_published("Created", "acme");
    metrics::record_event_published("Created", "globex");
    let published = "shop_event_bus_published_total";
    let path = format!("/api/series?metric={published}");
    let is_there = |answer: &Value| !answer["metrics"][published].is_null();
    let answer = service.wait_for(&path, is_there).await;
    let expected = vec![(json!({"event_type": "Created"}), json!(2))];
    assert_eq!(last(&answer, published, "values"), expected);
    let list = service.get("/api/metrics").await.to_string();
    assert!(
        !list.contains("rustok_") && !list.contains("tenant_id"),
        "{list}"
    );
}
