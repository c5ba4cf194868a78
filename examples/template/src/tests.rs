//! Tests of the routes and of what they record.

use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use rustok_telemetry::testing;
use tower::ServiceExt;

use crate::app::routes;

async fn get(path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let response = routes().oneshot(request).await.expect("a response");
    let status = response.status();
    // The request ends with its body.
    let body = to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("a body");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_greeting_is_counted_and_traced() {
    let telemetry = testing::capture();
    let answer = get("/api/greetings/ann").await;
    assert_eq!(answer, (StatusCode::OK, "Hello, ann!\n".to_owned()));
    telemetry
        .metric("greetings_sent_total")
        .with("language", "en")
        .assert_value(1.0);
    telemetry
        .metric("rustok_http_requests_total")
        .with("path", "/api/greetings/{name}")
        .with("status", "200")
        .assert_value(1.0);
    telemetry.span("greetings.greet").assert_ok();
}

#[tokio::test]
async fn an_invalid_name_is_counted_as_an_error() {
    let telemetry = testing::capture();
    let (status, _) = get(&format!("/api/greetings/{}", "a".repeat(101))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    telemetry
        .metric("rustok_module_errors_total")
        .with("module", "greetings")
        .with("error_type", "name_too_long")
        .assert_value(1.0);
}

#[tokio::test]
async fn the_service_is_alive_and_ready() {
    for path in ["/api/_health/live", "/api/_health/ready"] {
        let (status, body) = get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
    }
}
