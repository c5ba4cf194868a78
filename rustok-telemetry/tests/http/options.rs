//! Excluded paths, hooks and the `traceresponse` switch of the layer.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use rustok_telemetry::{http::TelemetryLayer, testing};
use tower::{Layer, ServiceExt, service_fn};

async fn send(layer: &TelemetryLayer, uri: &str) -> Response<()> {
    let request = Request::get(uri).header("x-request-id", "r-1");
    let request = request.body(Empty::<Bytes>::new()).expect("a request");
    let answer = |_| async {
        let response = Response::builder().header("age", "3");
        let response = response.body(Empty::<Bytes>::new()).expect("a response");
        Ok::<_, Infallible>(response)
    };
    let service = layer.layer(service_fn(answer));
    service
        .oneshot(request)
        .await
        .expect("infallible")
        .map(drop)
}

fn counted(telemetry: &testing::Capture) -> usize {
    telemetry
        .text()
        .lines()
        .filter(|line| line.starts_with("rustok_http_requests_total{"))
        .count()
}

#[tokio::test]
async fn health_paths_are_excluded_by_default() {
    let telemetry = testing::capture();
    let layer = TelemetryLayer::new();
    let response = send(&layer, "/api/_health/live").await;
    assert!(!response.headers().contains_key("traceresponse"));
    assert_eq!((counted(&telemetry), telemetry.spans().len()), (0, 0));
    send(&layer, "/api/products").await;
    assert_eq!((counted(&telemetry), telemetry.spans().len()), (1, 1));
}

#[tokio::test]
async fn excluded_paths_replace_the_default() {
    let telemetry = testing::capture();
    let layer = TelemetryLayer::new().exclude_paths(["/internal/", "/favicon.ico"]);
    for path in ["/internal/debug", "/favicon.ico"] {
        send(&layer, path).await;
    }
    assert_eq!(telemetry.spans().len(), 0);
    for path in ["/api/_health/live", "/internal"] {
        send(&layer, path).await;
    }
    assert_eq!(telemetry.spans().len(), 2);
}

#[tokio::test]
async fn hooks_add_attributes_with_their_types() {
    let telemetry = testing::capture();
    let layer = TelemetryLayer::new()
        .on_request(|request, span| {
            let id = request.headers["x-request-id"].to_str().expect("text");
            span.set("request.id", id.to_owned());
            span.set("retries", 1);
            span.set("retries", 2);
        })
        .on_response(|response, span| {
            span.set("cache.hit", response.headers.contains_key("age"));
        });
    send(&layer, "/").await;
    telemetry
        .span("GET")
        .assert_attribute("request.id", "r-1")
        .assert_attribute("retries", 2)
        .assert_attribute("cache.hit", true);
}

#[tokio::test]
async fn a_panicking_hook_is_the_panic_of_its_request() {
    let telemetry = testing::capture();
    let layer = TelemetryLayer::new().on_request(|_, _| panic!("hook"));
    let sent = tokio::spawn(async move { send(&layer, "/").await });
    assert!(sent.await.is_err());
    telemetry
        .metric("rustok_http_requests_total")
        .with("status", "panic")
        .assert_value(1.0);
}

#[tokio::test]
async fn traceresponse_can_be_switched_off() {
    let _telemetry = testing::capture();
    let layer = TelemetryLayer::new();
    let named = send(&layer, "/").await;
    assert!(named.headers().contains_key("traceresponse"));
    let unnamed = send(&layer.traceresponse(false), "/").await;
    assert!(!unnamed.headers().contains_key("traceresponse"));
}
