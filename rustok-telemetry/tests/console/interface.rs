//! Each path of the interface, on a service that did some work.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    service::{Service, items, keys, with_console},
    support::with_variables,
};
use rustok_telemetry::console::Console;

#[tokio::test]
#[test_fork::fork]
async fn state_tells_who_this_is_and_what_is_kept() {
    let telemetry = with_console()
        .service_version("1.2.3")
        .init()
        .expect("telemetry starts");
    let service = Service::start().await;
    service.work("one").await;
    let state = service
        .wait_for("/api/state", |state| {
            state["kept"]["series"].as_u64() > Some(10)
        })
        .await;
    assert_eq!(
        keys(&state),
        [
            "capture",
            "instance",
            "kept",
            "memory",
            "metric_prefix",
            "not_kept",
            "now",
            "peers",
            "resource",
            "service",
            "stage",
            "started_at",
            "thinned",
            "tick_ms",
            "ticks",
            "version",
        ]
    );
    assert_eq!(state["service"], "shop");
    assert_eq!(state["version"], "1.2.3");
    assert_eq!(state["instance"], "one");
    assert_eq!(state["stage"], "running");
    assert_eq!(state["resource"]["telemetry.sdk.language"], "rust");
    assert_eq!(state["tick_ms"], 2000);
    assert_eq!(state["capture"], json!({"all_spans_until": null}));
    assert_eq!(state["peers"], json!([]));
    let kept = &state["kept"];
    assert_eq!(
        [&kept["spans"], &kept["traces"], &kept["log_lines"]],
        [&json!(2), &json!(1), &json!(2)],
        "{state:#}"
    );
    assert_eq!(
        state["not_kept"],
        json!({"spans": 0, "log_lines": 0, "series": 0})
    );
    assert_eq!(
        state["thinned"],
        json!({"kept_share": 1.0, "spans": 0, "log_lines": 0})
    );
    let memory = &state["memory"];
    let bytes = |name: &str| memory[name].as_u64().expect("a number");
    assert_eq!(bytes("limit"), 32 << 20);
    assert_eq!(
        bytes("used"),
        bytes("metrics") + bytes("spans") + bytes("logs")
    );
    assert!(
        ["metrics", "spans", "logs"]
            .iter()
            .all(|part| bytes(part) > 100)
    );
    let now = state["now"].as_f64().expect("a time");
    let started = state["started_at"].as_f64().expect("a time");
    assert!(started <= now && now < started + 20_000.0);
    let _ = telemetry.shutdown();
    let state = service.get("/api/state").await;
    assert_eq!(
        (&state["stage"], &state["kept"]["spans"]),
        (&json!("shut_down"), &json!(2))
    );
}

#[tokio::test]
#[test_fork::fork]
async fn traces_can_be_filtered_and_opened() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    let long = format!("forty-{}", "x".repeat(400));
    for task in ["one", "fail", &long] {
        service.work(task).await;
    }
    let traces = service
        .wait_for("/api/traces", |traces| items(traces).len() == 3)
        .await;
    let summary = &traces[1];
    assert_eq!(
        keys(summary),
        [
            "duration", "errors", "http", "kept_for", "kind", "name", "service", "spans", "start",
            "status", "tenant", "trace_id",
        ]
    );
    assert_eq!(summary["name"], "GET /tasks/{task}");
    assert_eq!(summary["kind"], "server");
    assert_eq!(summary["service"], "shop");
    assert_eq!(summary["spans"], 2);
    assert_eq!(summary["errors"], 1);
    assert_eq!(summary["status"], "error");
    assert_eq!(summary["tenant"], "acme");
    assert_eq!(
        summary["http"],
        json!({"method": "GET", "route": "/tasks/{task}", "status": 500})
    );
    assert_eq!(summary["kept_for"], "recent");

    let [longest, _, shorter] = [0, 1, 2].map(|at| traces[at]["duration"].as_f64().expect("ms"));
    for (query, expected) in [
        ("status=error", &[1][..]),
        ("status=ok", &[0, 2]),
        ("operation=step", &[0, 1, 2]),
        ("operation=steps", &[]),
        ("tenant=acme&limit=2", &[0, 1]),
        ("tenant=globex", &[]),
        (&format!("min_ms={longest}"), &[0]),
        (&format!("max_ms={shorter}&status=ok"), &[2]),
        ("text=FORTY", &[0]),
        (
            &format!("text={}", summary["trace_id"].as_str().expect("an id")),
            &[1],
        ),
    ] {
        let found = service.get(&format!("/api/traces?{query}")).await;
        let expected: Vec<_> = expected.iter().map(|at| traces[*at].clone()).collect();
        assert_eq!(found, json!(expected), "{query}");
    }
    for query in ["status=bad", "min_ms=x", "limit=-1", "max_ms=NaN"] {
        let (status, answer) = service.answer(&format!("/api/traces?{query}")).await;
        assert_eq!((status, keys(&answer)), (400, vec!["error"]), "{query}");
    }

    let id = summary["trace_id"].as_str().expect("an id");
    let trace = service.get(&format!("/api/traces/{id}")).await;
    assert_eq!(trace["trace_id"], id);
    let [root, step] = items(&trace["spans"]) else {
        panic!("{trace:#}")
    };
    assert_eq!(
        keys(step),
        [
            "attributes",
            "duration",
            "events",
            "kind",
            "links",
            "name",
            "parent_span_id",
            "sampled",
            "scope",
            "service",
            "span_id",
            "start",
            "status",
            "status_text",
            "trace_id",
        ]
    );
    assert_eq!(
        (&root["parent_span_id"], &step["parent_span_id"]),
        (&Value::Null, &root["span_id"])
    );
    assert_eq!(
        step["attributes"],
        json!({"target": "console::service", "task": "fail", "tenant_id": "acme"})
    );
    assert_eq!(step["sampled"], true);
    assert!(step["start"].as_f64() >= root["start"].as_f64());
    assert!(step["duration"].as_f64() >= Some(4.0));
    let logs: Vec<_> = items(&trace["logs"])
        .iter()
        .map(|line| line["text"].as_str().expect("text"))
        .collect();
    assert_eq!(logs, ["tired", "worked on fail"]);
    for unknown in ["00000000000000000000000000000001", "nonsense", ""] {
        let (status, answer) = service.answer(&format!("/api/traces/{unknown}")).await;
        assert_eq!((status, keys(&answer)), (404, vec!["error"]));
    }

    let operations = service.get("/api/operations").await;
    let names: Vec<_> = items(&operations)
        .iter()
        .map(|operation| &operation["name"])
        .collect();
    assert_eq!(names, ["GET /tasks/{task}", "step"]);
    assert_eq!(
        keys(&operations[0]),
        ["count", "errors", "max", "name", "p50", "p95"]
    );
    assert_eq!(
        (&operations[0]["count"], &operations[0]["errors"]),
        (&json!(3), &json!(1))
    );
    assert!(operations[1]["max"].as_f64() >= Some(40.0));
}

#[tokio::test]
#[test_fork::fork]
async fn log_lines_can_be_filtered_and_paged() {
    let _telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    for task in ["one", "two", "three"] {
        service.work(task).await;
    }
    let page = service
        .wait_for("/api/logs", |page| items(&page["lines"]).len() == 6)
        .await;
    assert_eq!(page["older"], false);
    let line = &page["lines"][0];
    assert_eq!(
        keys(line),
        [
            "attributes",
            "level",
            "seq",
            "span_id",
            "target",
            "tenant",
            "text",
            "time",
            "trace_id"
        ]
    );
    assert_eq!(
        (&line["seq"], &line["level"], &line["text"]),
        (&json!(6), &json!("INFO"), &json!("worked on three"))
    );
    assert_eq!(line["target"], "console::service");
    assert_eq!(line["attributes"], json!({"task": "three"}));
    let tired = &page["lines"][1];
    assert_eq!(
        (&tired["level"], &tired["tenant"]),
        (&json!("WARN"), &json!("acme"))
    );
    let trace_id = tired["trace_id"].as_str().expect("an id");

    for (query, expected, older) in [
        ("level=warn", &[5, 3, 1][..], false),
        ("level=debug&limit=2", &[6, 5], true),
        ("limit=2&before=5", &[4, 3], true),
        ("limit=2&before=3", &[2, 1], false),
        ("target=work", &[5, 3, 1], false),
        ("text=ON%20TWO", &[4], false),
        (&format!("trace_id={trace_id}"), &[6, 5], false),
        ("level=error", &[], false),
    ] {
        let page = service.get(&format!("/api/logs?{query}")).await;
        let found: Vec<_> = items(&page["lines"])
            .iter()
            .map(|line| &line["seq"])
            .collect();
        assert_eq!(
            (json!(found), &page["older"]),
            (json!(expected), &json!(older)),
            "{query}"
        );
    }
    assert_eq!(service.answer("/api/logs?level=loud").await.0, 400);
}

#[tokio::test]
#[test_fork::fork]
async fn telemetry_has_health_settings_and_remedies() {
    let telemetry = with_variables(&[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hunter2"),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "300"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m"),
        ("RUSTOK_TELEMETRY_STRICT", "false"),
    ])
    .console(Console::new().allow_remote(true))
    .init()
    .expect("telemetry starts");
    let service = Service::start().await;
    service.work("one").await;
    let shown = service
        .wait_for("/api/telemetry", |shown| {
            shown["health"]["signals"]["traces"]["failing"] == true
        })
        .await;
    assert_eq!(keys(&shown), ["configuration", "health", "problems"]);
    assert_eq!(shown["health"]["stage"], "running");
    let settings = items(&shown["configuration"]);
    let sampler = settings
        .iter()
        .find(|setting| setting["name"] == "service.name");
    let source = "OTEL_SERVICE_NAME";
    assert_eq!(
        sampler,
        Some(&json!({"name": "service.name", "value": "shop", "source": source}))
    );
    assert!(!shown.to_string().contains("hunter2"));
    let problems = items(&shown["problems"]);
    for problem in problems {
        assert_eq!(keys(problem), ["remedy", "severity", "what"]);
    }
    let find = |what: &str| {
        let mut problems = problems.iter();
        let found = problems.find(|problem| {
            problem["what"]
                .as_str()
                .is_some_and(|text| text.contains(what))
        });
        found.unwrap_or_else(|| panic!("{what}: {shown:#}"))
    };
    let ignored = find("OTEL_METRIC_EXPORT_INTERVAL=1m");
    assert!(
        ignored["remedy"]
            .to_string()
            .contains("RUSTOK_TELEMETRY_STRICT=true"),
        "{ignored}"
    );
    assert_eq!(find("without a token")["severity"], "warning");
    let _ = telemetry.shutdown_within(Duration::from_secs(1));
}

#[tokio::test]
#[test_fork::fork]
async fn a_disabled_telemetry_is_shown() {
    let _telemetry = with_variables(&[("OTEL_SDK_DISABLED", "true")])
        .console(Console::new())
        .init()
        .expect("telemetry starts");
    let service = Service::start().await;
    service.work("one").await;
    let state = service.get("/api/state").await;
    assert_eq!(
        (&state["stage"], &state["ticks"]),
        (&json!("disabled"), &json!(0))
    );
    assert_eq!(state["service"], "shop");
    let shown = service.get("/api/telemetry").await;
    assert_eq!(shown["health"]["stage"], "disabled");
    assert_eq!(
        service.get("/api/series?metric=a").await,
        json!({"ticks": [], "metrics": {}})
    );
    assert_eq!(service.get("/api/traces").await, json!([]));
}

#[tokio::test]
#[test_fork::fork]
async fn events_tell_of_samples_lines_and_traces() {
    let telemetry = with_console().init().expect("telemetry starts");
    let service = Service::start().await;
    let mut events = service.send("/api/events").await;
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    service.work("one").await;
    let mut text = String::new();
    while ![
        "event: tick\ndata: {\"now\":",
        "event: logs\ndata: {\"last\":2}\n\n",
        "event: traces\ndata: {\"count\":2}\n\n",
    ]
    .iter()
    .all(|event| text.contains(event))
    {
        let chunk = events
            .chunk()
            .await
            .expect("a connection")
            .unwrap_or_else(|| panic!("ended: {text}"));
        text.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
    drop(events);

    let mut open = Vec::new();
    while open.len() < 16 {
        let events = service.send("/api/events").await;
        // The server sees with delay that the first client has gone.
        if events.status() == 200 {
            open.push(events);
        }
    }
    assert_eq!(service.send("/api/events").await.status(), 503);
    // The streams end with telemetry, or else a server that waits for its responses would not.
    let _ = telemetry.shutdown();
    for mut events in open {
        while let Some(_more) = events.chunk().await.expect("a connection") {}
    }
    let _ = service;
}
