//! A stream's life is not in the latency of requests, and what it ends with is counted.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{Response, Sse, sse::Event},
    routing::get,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;
use rustok_telemetry::{
    http::TelemetryLayer,
    testing::{self, Capture},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};
use tower::ServiceExt;

use super::support::{ACTIVE, TestBody, counted, exchange, leave_after, serve, within};

const DURATION: &str = "rustok_http_request_duration_seconds";
const STREAM_DURATION: &str = "rustok_http_stream_duration_seconds";

/// Between what is sent.
const PAUSE: Duration = Duration::from_millis(50);

fn app() -> Router {
    Router::new()
        .route("/events", get(|| async { Sse::new(events().take(3)) }))
        .route("/events/endless", get(|| async { Sse::new(events()) }))
        .route("/download", get(|| async { Body::from_stream(parts()) }))
        .route("/compressed", get(|| with("content-encoding", "gzip")))
        .route("/announced", get(|| with("content-length", "30")))
        .route("/panics", get(|| async { Body::from_stream(panics()) }))
        .route("/socket", get(upgrade))
        .layer(TelemetryLayer::new())
}

fn events() -> impl stream::Stream<Item = Result<Event, Infallible>> {
    let events = stream::repeat_with(|| Event::default().data("happened"));
    events.then(|event| async {
        sleep(PAUSE).await;
        Ok(event)
    })
}

fn parts() -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    stream::repeat(Bytes::from_static(b"0123456789"))
        .take(3)
        .then(|part| async {
            sleep(PAUSE).await;
            Ok(part)
        })
}

fn panics() -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    parts().map(|_| panic!("on purpose"))
}

async fn with(
    name: &'static str,
    value: &'static str,
) -> ([(&'static str, &'static str); 1], Body) {
    ([(name, value)], Body::from_stream(parts()))
}

/// Answers as to a WebSocket's handshake, and echoes.
async fn upgrade(request: Request) -> Response {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(request).await.expect("an upgrade");
        let socket = hyper_util::rt::TokioIo::new(upgraded);
        let (mut reader, mut writer) = tokio::io::split(socket);
        tokio::io::copy(&mut reader, &mut writer).await
    });
    let response = Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "echo");
    response.body(Body::empty()).expect("a response")
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n")
}

fn counts(telemetry: &Capture) -> (u64, u64) {
    let count = |name| telemetry.metric(name).count();
    (count(DURATION), count(STREAM_DURATION))
}

async fn served(path: &str) -> Capture {
    let telemetry = testing::capture();
    let address = serve(app()).await;
    exchange(address, &request(path)).await;
    let requests = counted(&telemetry, 1.0).await;
    assert_eq!(requests, [(path.to_owned(), "200".to_owned())]);
    telemetry
}

#[tokio::test]
async fn streams_record_time_to_head_and_duration() {
    for path in ["/events", "/download"] {
        let telemetry = served(path).await;
        assert_eq!(counts(&telemetry), (1, 1), "{path}");
        let latency = telemetry.metric(DURATION).with("path", path).value();
        let life = telemetry.metric(STREAM_DURATION).with("path", path).value();
        assert!(life >= 3.0 * PAUSE.as_secs_f64(), "{path}: {life}");
        assert!(
            latency < life - 2.0 * PAUSE.as_secs_f64(),
            "{path}: {latency}"
        );
        let span = telemetry.span(&format!("GET {path}"));
        span.assert_ok();
        assert!(span.duration().as_secs_f64() > life - PAUSE.as_secs_f64());
    }
}

#[tokio::test]
async fn a_slow_response_is_not_a_stream() {
    for path in ["/compressed", "/announced"] {
        let telemetry = served(path).await;
        assert_eq!(counts(&telemetry), (1, 0), "{path}");
        let latency = telemetry.metric(DURATION).value();
        assert!(latency >= 3.0 * PAUSE.as_secs_f64(), "{path}: {latency}");
    }
}

#[tokio::test]
async fn an_open_stream_is_already_in_the_latency() {
    let telemetry = testing::capture();
    let address = serve(app()).await;
    let path = "/events/endless";
    leave_after(address, &request(path), "happened").await;
    // The client is gone, and the server has not noticed it yet: that takes another event.
    assert_eq!(counts(&telemetry), (1, 0));
    telemetry.metric(ACTIVE).assert_value(1.0);
    let requests = counted(&telemetry, 1.0).await;
    assert_eq!(requests, [(path.to_owned(), "client_closed".to_owned())]);
    assert_eq!(counts(&telemetry), (1, 1));
    telemetry.metric(ACTIVE).assert_value(0.0);
    telemetry.span("GET /events/endless").assert_cancelled();
}

#[tokio::test]
async fn a_stream_that_panics_is_a_stream() {
    let telemetry = testing::capture();
    let address = serve(app()).await;
    exchange(address, &request("/panics")).await;
    let requests = counted(&telemetry, 1.0).await;
    assert_eq!(requests, [("/panics".to_owned(), "panic".to_owned())]);
    assert_eq!(counts(&telemetry), (1, 1));
}

#[tokio::test]
async fn an_upgrade_ends_with_its_head() {
    let telemetry = testing::capture();
    let address = serve(app()).await;
    let mut socket = connect(address).await;
    socket
        .write_all(
            b"GET /socket HTTP/1.1\r\nhost: shop\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
        )
        .await
        .expect("a request");
    assert!(
        until(&mut socket, "\r\n\r\n")
            .await
            .starts_with("HTTP/1.1 101 ")
    );
    let requests = counted(&telemetry, 1.0).await;
    assert_eq!(requests, [("/socket".to_owned(), "101".to_owned())]);
    assert_eq!(counts(&telemetry), (1, 0));
    telemetry.span("GET /socket").assert_ok();
    socket.write_all(b"still there").await.expect("an upgrade");
    until(&mut socket, "still there").await;
}

#[tokio::test]
async fn the_type_of_a_response_makes_it_a_stream() {
    for (content_type, length, is_stream) in [
        ("text/event-stream", None, true),
        ("Text/Event-Stream; charset=utf-8", Some("10"), true),
        ("multipart/x-mixed-replace; boundary=x", Some("10"), true),
        ("application/x-ndjson", Some("10"), true),
        ("application/jsonl", Some("10"), true),
        ("application/json-seq", Some("10"), true),
        ("application/stream+json ", Some("10"), true),
        ("application/json", Some("10"), false),
        ("application/json", None, true),
        ("text/event-stream-of-mine", Some("10"), false),
        ("", Some("10"), false),
        // There is nothing to stream.
        ("text/event-stream", Some("0"), false),
    ] {
        let telemetry = testing::capture();
        let respond = move || async move {
            let mut headers = HeaderMap::new();
            headers.insert("content-type", content_type.parse().expect("a value"));
            if let Some(length) = length {
                headers.insert("content-length", length.parse().expect("a value"));
            }
            (headers, Body::new(TestBody::of(&["0123456789"])))
        };
        let app = Router::new()
            .route("/", get(respond))
            .layer(TelemetryLayer::new());
        let response = app.oneshot(Request::new(Body::empty())).await;
        let body = response.expect("infallible").into_body().collect().await;
        body.expect("a body");
        let case = format!("{content_type}, {length:?}");
        assert_eq!(counts(&telemetry), (1, u64::from(is_stream)), "{case}");
    }
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("a connection")
}

async fn until(socket: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        let byte = within(socket.read_u8()).await.expect("an answer");
        text.push(char::from(byte));
    }
    text
}
