//! How telemetry fares, in code and over HTTP; and the checks of the service.
#![cfg(feature = "axum")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt as _;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;
use rustok_telemetry::{
    health,
    http::{HealthRoutes, health_routes},
    metrics,
};
use serde_json::Value;
use support::{request::ask, with_variables};
use tower::ServiceExt as _;

async fn get(app: Router, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let response = app.oneshot(request).await.expect("infallible");
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/json");
    let body = response.into_body().collect().await.expect("a body");
    let body = serde_json::from_slice(&body.to_bytes()).expect("JSON");
    (status, body)
}

fn routes(health: HealthRoutes) -> Router {
    Router::new().merge(health)
}

/// Answers each request with the next of these, and closes the connection.
fn collector(answers: Vec<(u16, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for (status, body) in answers {
            let (mut connection, _) = listener.accept().expect("a connection");
            // The requests are small: one read has all of them.
            let _ = connection.read(&mut [0; 65536]);
            let head = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            connection.write_all(head.as_bytes()).expect("an answer");
            connection.write_all(&body).expect("an answer");
        }
    });
    endpoint
}

#[tokio::test]
#[test_fork::fork]
async fn successes_failures_and_rejections_are_reported() {
    let (status, before) = get(routes(HealthRoutes::new()), "/api/_health/telemetry").await;
    assert_eq!(
        (status, &before["stage"]),
        (StatusCode::OK, &"not_started".into())
    );
    assert_eq!(before["signals"]["traces"]["last_success"], Value::Null);

    let partly = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans: 1,
            error_message: "too old".to_owned(),
        }),
    };
    let endpoint = collector(vec![(200, partly.encode_to_vec()), (401, Vec::new())]);
    let telemetry = with_variables(&[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            &format!("{endpoint}/?key=hunter2"),
        ),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
    ])
    .init()
    .expect("telemetry starts");
    let traces = || health().signals[0].clone();
    drop(tracing::info_span!("first"));
    wait_until(|| traces().successes == 1);
    let first = traces();
    let rejected = first.last_rejection.as_ref().expect("a rejection");
    assert_eq!((rejected.items, rejected.reason.as_str()), (1, "too old"));
    assert!(!first.failing && first.last_failure.is_none());
    let age = SystemTime::now().duration_since(first.last_success.expect("a time"));
    assert!(age.expect("in the past") < Duration::from_secs(10));

    drop(tracing::info_span!("second"));
    wait_until(|| traces().failures == 1);
    let (_, body) = get(routes(HealthRoutes::new()), "/api/_health/telemetry").await;
    let told = &body["signals"]["traces"];
    assert_eq!(body["stage"], "running", "{body:#}");
    assert_eq!(told["failing"], true, "{body:#}");
    let reason = told["last_failure"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("401"), "{reason}");
    assert!(
        told["last_failure"]["at"]
            .as_str()
            .is_some_and(|at| at.ends_with('Z'))
    );
    assert_eq!(told["queue"]["capacity"], 100, "{body:#}");
    // The receiver accepts the first request and rejects its span.
    assert_eq!(told["queue"]["exported"], 0, "{body:#}");
    assert_eq!(told["queue"]["lost"]["rejected"], 1, "{body:#}");
    assert_eq!(told["queue"]["lost"]["export_failed"], 1, "{body:#}");
    assert_eq!(
        told["endpoint"],
        format!("{endpoint}/v1/traces?***"),
        "{body:#}"
    );
    assert_eq!(
        body["signals"]["metrics"]["endpoint"],
        Value::Null,
        "{body:#}"
    );

    let _ = telemetry.shutdown();
    metrics::record_event_published("TooLate", "acme");
    let (_, after) = get(routes(HealthRoutes::new()), "/api/_health/telemetry").await;
    assert_eq!(after["stage"], "shut_down");
    assert_eq!(after["records_lost"]["after_shutdown"], 1, "{after:#}");
}

#[test_fork::test]
fn an_unsendable_request_reports_its_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!(
        "http://{}/?key=hunter2",
        listener.local_addr().expect("an address")
    );
    drop(listener);
    let telemetry = with_variables(&[
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
    ])
    .init()
    .expect("telemetry starts");
    drop(tracing::info_span!("work"));
    let report = telemetry.shutdown();
    let reason = health().signals[0]
        .last_failure
        .clone()
        .expect("a failure")
        .reason;
    assert!(reason.contains("Connection refused"), "{reason}");
    assert!(!reason.contains("hunter2"), "{reason}");
    assert_eq!(report.traces_error, Some(reason));
}

#[test_fork::test]
fn folded_labels_are_reported_by_metric_and_label() {
    let telemetry = support::text_only().init().expect("telemetry starts");
    assert_eq!(health().labels_folded, []);
    for tenant in 0..503 {
        metrics::record_event_published("Flood", &format!("tenant-{tenant}"));
    }
    let folded = health().labels_folded;
    assert_eq!(folded.len(), 1, "{folded:?}");
    assert_eq!(folded[0].metric, "rustok_event_bus_published_total");
    assert_eq!((folded[0].label, folded[0].records), ("tenant_id", 3));
    let _ = telemetry.shutdown();
}

#[tokio::test]
async fn service_without_checks_is_live_and_ready() {
    let app = routes(HealthRoutes::new());
    let (status, body) = get(app.clone(), "/api/_health/live").await;
    assert_eq!((status, &body["status"]), (StatusCode::OK, &"live".into()));
    let (status, body) = get(app, "/api/_health/ready").await;
    assert_eq!((status, &body["status"]), (StatusCode::OK, &"ready".into()));
}

/// Each bad check fails alone, all run at the same time, and the answer is there when the time is up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_checks_are_named_and_do_not_delay_others() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&dropped);
    let health = HealthRoutes::new()
        .check("good", || async { Ok::<_, String>(()) })
        .check("slow", || async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            Ok::<_, String>(())
        })
        .check("refused", || async { Err("password hunter2") })
        .check("hangs", move || {
            let dropped = CountsDrop(Arc::clone(&counter));
            async move {
                std::future::pending::<()>().await;
                drop(dropped);
                Ok::<_, String>(())
            }
        })
        .check("panics", || async {
            panic!("on purpose") as Result<(), String>
        })
        .check(
            "panics at once",
            || -> std::future::Ready<Result<(), String>> { panic!("on purpose") },
        )
        .timeout(Duration::from_secs(3));
    let app = routes(health);
    let started = Instant::now();
    let (status, body) = get(app.clone(), "/api/_health/ready").await;
    let elapsed = started.elapsed();
    assert!(elapsed < Duration::from_secs(6), "{elapsed:?}");
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        body["failing"],
        serde_json::json!(["refused", "hangs", "panics", "panics at once"]),
        "{body:#}"
    );
    let outcomes: Vec<_> = body["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|check| check["outcome"].as_str().expect("text"))
        .collect();
    assert_eq!(
        outcomes,
        [
            "passed",
            "passed",
            "failed",
            "timed_out",
            "panicked",
            "panicked"
        ]
    );
    assert!(!body.to_string().contains("hunter2"), "{body}");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(dropped.load(Ordering::Relaxed), 1, "what hangs is dropped");
    let (status, _) = get(app, "/api/_health/live").await;
    assert_eq!(status, StatusCode::OK, "it lives all the same");
}

#[tokio::test]
async fn checks_stop_when_the_request_is_dropped() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&dropped);
    let app = routes(HealthRoutes::new().check("hangs", move || {
        let dropped = CountsDrop(Arc::clone(&counter));
        async move {
            std::future::pending::<()>().await;
            drop(dropped);
            Ok::<_, String>(())
        }
    }));
    let asked = get(app, "/api/_health/ready");
    let gone = tokio::time::timeout(Duration::from_millis(50), asked).await;
    assert!(gone.is_err(), "it hangs until the caller goes");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}

struct CountsDrop(Arc<AtomicUsize>);

impl Drop for CountsDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[track_caller]
fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "it does not happen");
        thread::sleep(Duration::from_millis(20));
    }
}

/// `docs/health.md` shows every key of the answer.
#[test]
fn the_served_json_matches_the_documentation() {
    let page = include_str!("../../docs/health.md");
    let block = page
        .split("```json\n")
        .nth(2)
        .and_then(|rest| rest.split("```").next());
    let documented: Value = serde_json::from_str(block.expect("a block")).expect("JSON");
    let answered = health().to_json();
    let traces = ["signals", "traces"];
    let paths = [
        &[][..],
        &["signals"],
        &traces,
        &["signals", "traces", "queue"],
        &["records_lost"],
    ];
    for path in paths {
        let keys = |value: &Value| -> Vec<String> {
            let found = path.iter().fold(value, |value, key| &value[key]);
            let fields = found.as_object().expect("an object");
            fields.keys().cloned().collect()
        };
        assert_eq!(keys(&documented), keys(&answered), "{path:?}");
    }
}

const PATHS: [&str; 2] = ["/api/_health/metrics", "/api/_health/telemetry"];

async fn assert_token_is_needed(app: impl Fn() -> Router) {
    for path in PATHS {
        for (headers, expected) in [
            (&[][..], 401),
            (&[("authorization", &b"Bearer "[..])], 401),
            (&[("authorization", b"Bearer s3cre")], 401),
            (&[("authorization", b"Bearer s3cret2")], 401),
            (&[("authorization", b"Bearer S3CRET")], 401),
            (&[("authorization", b"Basic s3cret")], 401),
            (&[("authorization", b"Bearer \xff\xfe")], 401),
            (&[("authorization", b"s3cret")], 401),
            (&[("cookie", b"rustok-console-=733363726574")], 401),
            (&[("authorization", b"Bearer s3cret")], 200),
            (&[("authorization", b"bearer  s3cret ")], 200),
        ] {
            let (status, answered, body) = ask(app(), path, None, headers).await;
            assert_eq!(status, expected, "{path} {headers:?}: {body}");
            if expected == 401 {
                assert_eq!(answered["www-authenticate"], "Bearer");
                assert_eq!(body, "a bearer token is required\n");
            }
        }
        let (status, ..) = ask(app(), &format!("{path}?token=s3cret"), None, &[]).await;
        assert_eq!(status, 401, "{path}");
    }
}

#[tokio::test]
#[test_fork::fork]
async fn a_token_is_needed_where_code_sets_one() {
    let telemetry = support::text_only().init().expect("telemetry starts");
    assert!(!format!("{:?}", HealthRoutes::new().bearer_token("s3cret")).contains("s3cret"));
    assert_token_is_needed(|| routes(HealthRoutes::new().bearer_token("s3cret"))).await;
    for path in PATHS {
        for header in [&b"Bearer "[..], b"Bearer", b""] {
            let app = routes(HealthRoutes::new().bearer_token(""));
            let (status, ..) = ask(app, path, None, &[("authorization", header)]).await;
            assert_eq!(status, 401, "an empty token admits no request");
        }
    }
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn a_token_is_needed_where_the_environment_sets_one() {
    let telemetry = with_variables(&[("RUSTOK_TELEMETRY_ACCESS_TOKEN", " s3cret ")])
        .init()
        .expect("telemetry starts");
    assert_token_is_needed(health_routes).await;
    assert_token_is_needed(|| routes(HealthRoutes::new())).await;
    let other = || routes(HealthRoutes::new().bearer_token("other"));
    let (status, ..) = ask(
        other(),
        PATHS[0],
        None,
        &[("authorization", b"Bearer other")],
    )
    .await;
    assert_eq!(status, 200, "code takes precedence");
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn only_allowed_networks_are_answered() {
    let networks = "10.0.0.0/8,2001:db8::/32";
    let telemetry = with_variables(&[("RUSTOK_TELEMETRY_ACCESS_NETWORKS", networks)])
        .init()
        .expect("telemetry starts");
    let of_code = || {
        let health = HealthRoutes::new().allow_network("10.0.0.0/8".parse().expect("a network"));
        routes(health.allow_network("2001:db8::/32".parse().expect("a network")))
    };
    let claims: &[(&str, &[u8])] = &[
        ("x-forwarded-for", b"10.0.0.1"),
        ("forwarded", b"for=10.0.0.1"),
    ];
    for app in [health_routes, of_code] {
        for path in PATHS {
            for (peer, headers, expected) in [
                (Some("10.200.0.1:1"), &[][..], 200),
                (Some("[::ffff:10.0.0.1]:1"), &[], 200),
                (Some("[2001:db8::1]:1"), &[], 200),
                (Some("11.0.0.1:1"), &[], 403),
                (Some("127.0.0.1:1"), &[], 403),
                (Some("[::1]:1"), &[], 403),
                (Some("192.0.2.7:1"), claims, 403),
                (None, claims, 403),
            ] {
                let (status, answered, body) = ask(app(), path, peer, headers).await;
                assert_eq!(status, expected, "{path} {peer:?}: {body}");
                if expected == 403 {
                    assert_eq!(body, "requests from this address are not allowed\n");
                    assert!(!answered.contains_key("www-authenticate"));
                }
            }
        }
    }
    let _ = telemetry.shutdown();
}

/// An orchestrator that is refused would restart the service.
#[tokio::test]
async fn a_probe_needs_no_token_and_gets_no_details() {
    let health = || {
        let health = HealthRoutes::new().check("payments", || async { Err("down") });
        let health = health.allow_network("10.0.0.0/8".parse().expect("a network"));
        routes(health.bearer_token("s3cret"))
    };
    let bearer: (&str, &[u8]) = ("authorization", b"Bearer s3cret");
    for (peer, headers, is_admitted) in [
        (None, &[][..], false),
        (Some("10.0.0.1:1"), &[], false),
        (Some("11.0.0.1:1"), &[bearer], false),
        (Some("10.0.0.1:1"), &[bearer], true),
    ] {
        let (status, _, body) = ask(health(), "/api/_health/live", peer, headers).await;
        assert_eq!((status.as_u16(), &*body), (200, r#"{"status":"live"}"#));
        let (status, _, body) = ask(health(), "/api/_health/ready", peer, headers).await;
        assert_eq!(status, 503);
        assert_eq!(body.contains("payments"), is_admitted, "{body}");
        if !is_admitted {
            assert_eq!(body, r#"{"status":"not_ready"}"#);
        }
    }
}

/// The log line that says why each request is refused.
#[test]
fn an_unknown_peer_is_logged_once() {
    let test = "an_unknown_peer_is_logged_once";
    let (_, lines) = support::in_a_process(test, &[], || {
        let telemetry = support::text_only().init().expect("telemetry starts");
        let health = HealthRoutes::new().allow_network("127.0.0.1".parse().expect("a network"));
        let app = routes(health);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        for _ in 0..3 {
            let (status, ..) = runtime.block_on(ask(app.clone(), PATHS[0], None, &[]));
            assert_eq!(status, 403);
        }
        let _ = telemetry.shutdown();
    });
    let remedy = "into_make_service_with_connect_info::<SocketAddr>()";
    assert_eq!(lines.matches(remedy).count(), 1, "{lines}");
}
