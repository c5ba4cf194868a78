//! A service that sets up OpenTelemetry by itself gains metrics with a few lines, and keeps its set-up.
#![cfg(all(feature = "axum", feature = "testing"))]

#[expect(clippy::disallowed_methods, reason = "as the service has it")]
mod after;
#[expect(dead_code, reason = "the service before the change")]
#[expect(clippy::disallowed_methods, reason = "as the service has it")]
mod before;
mod providers;
#[path = "../extensions/samples.rs"]
mod samples;
#[path = "../support/mod.rs"]
mod support;

use std::io::{self, Write};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
};
use http_body_util::BodyExt;
use samples::assert_same;
use support::in_a_process;
use tower::ServiceExt;

/// Serves the requests of the test.
async fn serve(app: Router) {
    for path in ["/orders", "/orders", "/returns"] {
        let (status, _) = send(&app, Method::POST, path).await;
        assert_eq!(status, StatusCode::OK);
    }
    // From the third collection on, the metric that counts dropped observations has all of its series.
    for _ in 0..3 {
        let (status, text) = send(&app, Method::GET, "/api/_health/metrics").await;
        if status == StatusCode::OK {
            write!(io::stderr(), "{TEXT}{text}").expect("standard error");
        }
    }
}

/// Begins a text on standard error.
const TEXT: &str = "THE TEXT\n";

async fn send(app: &Router, method: Method, path: &str) -> (StatusCode, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).expect("a request");
    let response = app.clone().oneshot(request).await.expect("infallible");
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body");
    let body = String::from_utf8(body.to_bytes().to_vec());
    (status, body.expect("text"))
}

#[test]
fn eight_lines_are_changed() {
    let [before, after] = [include_str!("before.rs"), include_str!("after.rs")]
        .map(|text| text.lines().filter(|line| !line.is_empty()));
    let mut kept = before.peekable();
    let changed: Vec<_> = after
        // A chain goes on: its semicolon moves.
        .filter(|line| {
            let same = |kept: &&str| kept.trim_end_matches(';') == line.trim_end_matches(';');
            kept.next_if(same).is_none()
        })
        .collect();
    assert_eq!(kept.next(), None, "no line is removed");
    assert!(changed.len() <= 8, "{}: {changed:#?}", changed.len());
}

#[test]
fn a_service_gains_metrics_in_its_exporter_and_as_text() {
    let variables = [
        // Of the service's own exporters; this crate would refuse it.
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("RUST_LOG", "off"),
    ];
    let test = "a_service_gains_metrics_in_its_exporter_and_as_text";
    let (printed, errors) = in_a_process(test, &variables, || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(after::main()).expect("no errors");
    });
    let (_, text) = errors.rsplit_once(TEXT).expect("a text");
    let metrics = &printed[printed.rfind("Metrics\n").expect("metrics")..];
    let printed_metrics = samples::of_printed(metrics);
    assert_same(&printed_metrics, &samples::of_text(text));
    let expected = [
        r#"rustok_http_requests_total{method="POST",path="/orders",status="200"} 2"#,
        r#"rustok_http_requests_total{method="POST",path="/returns",status="200"} 1"#,
        r#"shop_orders_total{payment="card"} 2"#,
        r#"orders{payment="card"} 2"#,
    ];
    for line in expected {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }
    assert!(text.contains(r#"service_name="shop""#), "{text}");
    // The spans of the HTTP layer are in the service's exporter, those of the service below them.
    for name in ["POST /orders", "order"] {
        let line = format!("Name         : {name}");
        let spans = printed.lines().filter(|found| found.trim() == line);
        assert_eq!(spans.count(), 2, "{name}: {printed}");
    }
}
