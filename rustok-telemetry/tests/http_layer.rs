//! Every request is counted once, under its route's template, whatever becomes of it.
#![cfg(feature = "axum")]

mod support;

use std::{convert::Infallible, io, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Method, Request, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use http_body_util::{BodyExt, StreamBody};
use rustok_telemetry::http::{TelemetryLayer, health_routes};
use support::{assert_samples, samples, text, text_only};
use tower::ServiceExt;

const REQUESTS: &str = "rustok_http_requests_total";
const ACTIVE: &str = "rustok_http_active_connections";

fn app() -> Router {
    Router::new()
        .route("/api/products/{id}", get(|| async { "a product" }))
        .route(
            "/api/products",
            post(|body: Bytes| async move { (StatusCode::CREATED, body) }),
        )
        .route(
            "/api/broken",
            get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
        )
        .route("/api/panics", get(panics))
        .route("/api/never", get(std::future::pending::<()>))
        .route("/api/stream", get(stream))
        .route("/api/stream/broken", get(broken_stream))
        .merge(health_routes())
        .layer(TelemetryLayer::new())
}

async fn panics() -> &'static str {
    panic!("on purpose")
}

async fn stream() -> impl IntoResponse {
    let frames = (0..4)
        .map(|_| Ok::<_, Infallible>(http_body::Frame::data(Bytes::from_static(b"0123456789"))));
    Body::new(StreamBody::new(futures::stream::iter(frames)))
}

async fn broken_stream() -> impl IntoResponse {
    let frames = [
        Ok(http_body::Frame::data(Bytes::from_static(b"half"))),
        Err(io::Error::other("the disk is gone")),
    ];
    Body::new(StreamBody::new(futures::stream::iter(frames)))
}

async fn send(
    method: &str,
    path: &str,
    body: &'static str,
) -> (StatusCode, Result<Bytes, axum::Error>) {
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).expect("a method"))
        .uri(path)
        .body(Body::from(body))
        .expect("a request");
    let response = app().oneshot(request).await.expect("infallible");
    let status = response.status();
    (
        status,
        response
            .into_body()
            .collect()
            .await
            .map(|body| body.to_bytes()),
    )
}

#[tokio::test]
#[test_fork::fork]
async fn requests_are_counted_under_their_route() {
    let telemetry = text_only().init().expect("telemetry starts");
    for id in 0..3 {
        send("GET", &format!("/api/products/{id}?token=secret"), "")
            .await
            .1
            .expect("a body");
    }
    send("HEAD", "/api/products/1", "")
        .await
        .1
        .expect("no body");
    send("POST", "/api/products", "0123456789")
        .await
        .1
        .expect("a body");
    send("DELETE", "/api/products/1", "")
        .await
        .1
        .expect("a body");
    send("PROPFIND", "/api/products/1", "")
        .await
        .1
        .expect("a body");
    send("GET", "/api/broken", "").await.1.expect("a body");
    send("GET", "/wp-login.php", "").await.1.expect("a body");
    send("GET", "/.env", "").await.1.expect("a body");
    send("GET", "/api/stream", "").await.1.expect("a body");
    let text = text();
    let expected = |label: &str| {
        [
            ("DELETE", "/api/products/{id}", "405", "1"),
            ("GET", "/api/broken", "500", "1"),
            ("GET", "/api/products/{id}", "200", "3"),
            ("GET", "/api/stream", "200", "1"),
            ("GET", "unmatched", "404", "2"),
            ("HEAD", "/api/products/{id}", "200", "1"),
            ("POST", "/api/products", "201", "1"),
            ("_OTHER", "/api/products/{id}", "405", "1"),
        ]
        .map(|(method, route, status, count)| {
            let mut labels = [("method", method), (label, route), ("status", status)];
            labels.sort_unstable();
            let labels: Vec<_> = labels
                .iter()
                .map(|(name, value)| format!("{name}=\"{value}\""))
                .collect();
            (format!("{{{}}}", labels.join(",")), count.to_owned())
        })
    };
    assert_eq!(samples(&text, REQUESTS), expected("path").into());
    assert_eq!(
        samples(&text, "rustok_http_requests_by_endpoint"),
        expected("endpoint").into()
    );
    let sizes = samples(&text, "rustok_http_response_size_bytes_sum");
    assert_eq!(
        sizes["{endpoint=\"/api/stream\",method=\"GET\"}"], "40",
        "counted as streamed"
    );
    assert_eq!(
        sizes["{endpoint=\"/api/products/{id}\",method=\"GET\"}"],
        "27"
    );
    assert_eq!(
        sizes["{endpoint=\"/api/products/{id}\",method=\"HEAD\"}"],
        "0"
    );
    let sizes = samples(&text, "rustok_http_request_size_bytes_sum");
    assert_eq!(sizes["{endpoint=\"/api/products\",method=\"POST\"}"], "10");
    let count = samples(&text, "rustok_http_request_duration_seconds_count");
    assert_eq!(count["{method=\"GET\",path=\"/api/products/{id}\"}"], "3");
    assert_samples(&text, ACTIVE, &[("", "0")]);
    assert!(!text.contains("secret"), "a query string is in the text");
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn a_handler_that_panics_counts_once() {
    let telemetry = text_only().init().expect("telemetry starts");
    let task = tokio::spawn(send("GET", "/api/panics", ""));
    assert!(task.await.expect_err("it panics").is_panic());
    let text = text();
    assert_samples(
        &text,
        REQUESTS,
        &[(
            "{method=\"GET\",path=\"/api/panics\",status=\"panic\"}",
            "1",
        )],
    );
    let errors = samples(&text, "rustok_spans_with_errors_total");
    assert_eq!(
        errors["{error_type=\"panic\",operation=\"http_request\"}"],
        "1"
    );
    assert_samples(&text, ACTIVE, &[("", "0")]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn a_panic_that_is_caught_outside_of_the_layer_counts() {
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt;

    let telemetry = text_only().init().expect("telemetry starts");
    let request = |path| {
        Request::builder()
            .uri(path)
            .body(Body::empty())
            .expect("a request")
    };
    let mut future =
        Box::pin(AssertUnwindSafe(app().oneshot(request("/api/panics"))).catch_unwind());
    assert!(future.as_mut().await.is_err());
    // The layer's future is dropped only here, when nothing unwinds any more.
    drop(future);
    let text = text();
    assert_samples(
        &text,
        REQUESTS,
        &[(
            "{method=\"GET\",path=\"/api/panics\",status=\"panic\"}",
            "1",
        )],
    );
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn a_client_that_goes_away_counts_once() {
    let telemetry = text_only().init().expect("telemetry starts");
    let gone = tokio::time::timeout(Duration::from_millis(20), send("GET", "/api/never", "")).await;
    assert!(gone.is_err());
    let request = Request::builder()
        .uri("/api/stream")
        .body(Body::empty())
        .expect("a request");
    let mut response = app().oneshot(request).await.expect("infallible");
    assert_samples(&text(), ACTIVE, &[("", "1")]);
    response
        .body_mut()
        .frame()
        .await
        .expect("a frame")
        .expect("data");
    drop(response);
    let text = text();
    assert_samples(
        &text,
        REQUESTS,
        &[
            (
                "{method=\"GET\",path=\"/api/never\",status=\"client_closed\"}",
                "1",
            ),
            (
                "{method=\"GET\",path=\"/api/stream\",status=\"client_closed\"}",
                "1",
            ),
        ],
    );
    assert_samples(
        &text,
        "rustok_spans_cancelled_total",
        &[("{operation=\"http_request\"}", "2")],
    );
    assert_samples(&text, ACTIVE, &[("", "0")]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn a_body_that_fails_counts_once() {
    let telemetry = text_only().init().expect("telemetry starts");
    let (status, body) = send("GET", "/api/stream/broken", "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.is_err());
    let text = text();
    assert_samples(
        &text,
        REQUESTS,
        &[(
            "{method=\"GET\",path=\"/api/stream/broken\",status=\"body_error\"}",
            "1",
        )],
    );
    let errors = samples(&text, "rustok_spans_with_errors_total");
    assert_eq!(
        errors["{error_type=\"body_error\",operation=\"http_request\"}"],
        "1"
    );
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn health_routes_serve_the_text_and_are_not_counted() {
    let (status, body) = send("GET", "/api/_health/metrics", "").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        body.expect("a body")
            .starts_with(b"telemetry has not been started")
    );
    let telemetry = text_only().init().expect("telemetry starts");
    let (status, body) = send("GET", "/api/_health/metrics", "").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.expect("a body").starts_with(b"# HELP "));
    assert_samples(&text(), REQUESTS, &[]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn the_callers_trace_goes_on_and_is_passed_on() {
    use axum::http::HeaderMap;
    use rustok_telemetry::propagation::{EventContext, inject_headers};

    const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    async fn passes_on() -> String {
        let mut headers = HeaderMap::new();
        inject_headers(&mut headers);
        let event = EventContext::current();
        let handler = tracing::info_span!(parent: None, "handler");
        event.follow(&handler);
        let behind_the_queue = handler.in_scope(EventContext::current);
        [
            headers["traceparent"].to_str().expect("text").to_owned(),
            behind_the_queue
                .entries()
                .map(|(_, value)| value.to_owned())
                .collect(),
        ]
        .join(" ")
    }

    let telemetry = text_only().init().expect("telemetry starts");
    let app = Router::new()
        .route("/", get(passes_on))
        .layer(TelemetryLayer::new());
    let request = Request::builder()
        .uri("/")
        .header("traceparent", CALLER)
        .body(Body::empty())
        .expect("a request");
    let response = app.oneshot(request).await.expect("infallible");
    let told = response.headers()["traceresponse"].to_str().expect("text");
    assert!(
        told.starts_with("00-0af7651916cd43dd8448eb211c80319c-"),
        "{told}"
    );
    assert!(told.ends_with("-01"), "{told}");
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let body = String::from_utf8(body.to_vec()).expect("text");
    let spans: Vec<_> = body
        .split(' ')
        .map(|header| header.split('-').collect::<Vec<_>>())
        .collect();
    assert_eq!(spans.len(), 2, "{body}");
    for span in &spans {
        assert_eq!(
            span[1], "0af7651916cd43dd8448eb211c80319c",
            "the same trace: {body}"
        );
        assert_ne!(span[2], "b7ad6b7169203331", "a span of its own: {body}");
    }
    assert_ne!(spans[0][2], spans[1][2], "{body}");
    let _ = telemetry.shutdown();
}

/// hyper does not ask a body for more once the announced length has been sent.
#[tokio::test]
#[test_fork::fork]
async fn a_streamed_body_of_declared_length_is_complete() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn sized_stream() -> impl IntoResponse {
        ([("content-length", "40")], stream().await)
    }

    let telemetry = text_only().init().expect("telemetry starts");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    let app = Router::new()
        .route("/sized", get(sized_stream))
        .layer(TelemetryLayer::new());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let mut connection = tokio::net::TcpStream::connect(address)
        .await
        .expect("a connection");
    connection
        .write_all(b"GET /sized HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("a request");
    let mut answer = Vec::new();
    connection
        .read_to_end(&mut answer)
        .await
        .expect("an answer");
    assert!(answer.ends_with(b"0123456789"));
    server.abort();
    let _ = server.await;
    assert_samples(
        &text(),
        REQUESTS,
        &[("{method=\"GET\",path=\"/sized\",status=\"200\"}", "1")],
    );
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn a_span_for_log_lines_does_not_break_the_trace() {
    use axum::http::HeaderMap;

    let telemetry = text_only()
        .without_subscriber()
        .init()
        .expect("telemetry starts");
    let subscriber = {
        use tracing_subscriber::{Layer, filter::LevelFilter, layer::SubscriberExt};
        tracing_subscriber::registry()
            .with(
                tracing_subscriber::fmt::layer()
                    .with_test_writer()
                    .with_filter(LevelFilter::TRACE),
            )
            .with(telemetry.layer())
    };
    let trace_of = || {
        let mut headers = HeaderMap::new();
        rustok_telemetry::propagation::inject_headers(&mut headers);
        headers["traceparent"]
            .to_str()
            .expect("text")
            .split('-')
            .nth(1)
            .map(str::to_owned)
    };
    tracing::subscriber::with_default(subscriber, || {
        let _counted = tracing::info_span!("counted").entered();
        let outer = trace_of();
        let _logged = tracing::debug_span!("logged").entered();
        assert_eq!(trace_of(), outer);
    });
    let _ = telemetry.shutdown();
}
