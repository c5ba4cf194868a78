//! Every request of a client is one span with one outcome, and carries the trace; no secret of a URL is in it.
#![cfg(all(feature = "axum", feature = "reqwest-middleware"))]

mod outcomes;
mod server;
#[path = "../instrument/spans.rs"]
mod spans;
#[path = "../support/mod.rs"]
mod support;

use axum::http::HeaderMap;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt};
use reqwest_middleware::reqwest::{Method, Request};
use rustok_telemetry::{
    http::client::{TelemetryMiddleware, UrlTemplate},
    propagation,
    trace::is_exporter_target,
};
use server::{client, serve, with};
use spans::watch_counted;
use support::{
    assert_samples,
    exported::{Exporting, attribute},
    text, text_only,
};

#[tokio::test]
#[test_fork::fork]
async fn a_request_is_a_span_of_the_trace() {
    let exporting = Exporting::start();
    let address = serve().await;
    let outer = tracing::info_span!("outer");
    let request = async {
        let url = format!("http://{address}/echo/17");
        let request = client()
            .post(url)
            .with_extension(UrlTemplate("/echo/{id}".into()));
        request.send().await.expect("a response")
    };
    let response = tracing::Instrument::instrument(request, outer.clone()).await;
    let received = response.text().await.expect("a body");
    drop(outer);
    let (outer, span) = (exporting.span("outer"), exporting.span("POST /echo/{id}"));
    assert_eq!(span.parent_span_id, outer.span_context.span_id());
    assert_eq!(span.span_kind, SpanKind::Client);
    assert_eq!(span.status, Status::Unset);
    let context = &span.span_context;
    let expected = format!("00-{}-{}-01", context.trace_id(), context.span_id());
    assert_eq!(received, expected, "the span of the request is the parent");
    let (host, port) = address.split_once(':').expect("host and port");
    for (name, value) in [
        ("http.request.method", "POST"),
        ("http.response.status_code", "200"),
        ("server.address", host),
        ("server.port", port),
        ("url.full", &format!("http://{address}/echo/17")),
        ("url.template", "/echo/{id}"),
        ("error.type", ""),
    ] {
        assert_eq!(attribute(&span, name), value, "{name}");
    }
}

#[tokio::test]
#[test_fork::fork]
async fn a_request_without_template_is_named_by_its_method() {
    let exporting = Exporting::start();
    let address = serve().await;
    let url = format!("http://{address}/echo/1");
    client().get(&url).send().await.expect("a response");
    let unknown = Method::from_bytes(b"BREW").expect("a method");
    client().request(unknown, &url).send().await.expect("sent");
    assert_eq!(attribute(&exporting.span("GET"), "url.template"), "");
    let other = exporting.span("HTTP");
    assert_eq!(attribute(&other, "http.request.method"), "_OTHER");
}

#[tokio::test]
#[test_fork::fork]
async fn secrets_of_a_url_are_never_recorded() {
    let telemetry = text_only().without_subscriber().init().expect("it starts");
    let seen = watch_counted(&telemetry);
    let address = serve().await;
    let refused = "127.0.0.1:1";
    for host in [address.as_str(), refused] {
        for path in ["echo/1", "missing", "never", "moved"] {
            let url = format!("http://user:pw-5ecret@{host}/{path}?token=t-5ecret#f-5ecret");
            let request = client().get(&url).header("x-api-key", "k-5ecret");
            let _ = request.body("b-5ecret").send().await;
            // The builder takes user and password out of the URL; this leaves them there.
            let request = Request::new(Method::GET, url.parse().expect("a URL"));
            let _ = client().execute(request).await;
        }
    }
    // hyper writes the user and the password into its own events, which are not exported.
    let mut events = seen.events();
    events.retain(|event| !is_exporter_target(&event.target));
    let spans = seen.spans("http_client_request");
    assert_eq!(spans.len(), 16);
    let everything = format!("{spans:?} {events:?} {}", text());
    assert!(everything.contains(&format!("http://{address}/echo/1")));
    assert!(!everything.contains("5ecret"), "{everything}");
    assert!(!everything.contains("user:"), "{everything}");
    assert!(!everything.contains("user@"), "{everything}");
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn the_tenant_is_sent_only_on_request() {
    let telemetry = text_only().without_subscriber().init().expect("it starts");
    let _seen = watch_counted(&telemetry);
    let url = format!("http://{}/tenant", serve().await);
    let span = tracing::info_span!("order", tenant_id = "acme");
    let ask = async |middleware: TelemetryMiddleware| {
        let request = with(middleware).build().get(&url).send();
        let response = tracing::Instrument::instrument(request, span.clone()).await;
        response.expect("a response").text().await.expect("a body")
    };
    assert_eq!(ask(TelemetryMiddleware::new()).await, "none");
    assert_eq!(ask(TelemetryMiddleware::new().send_tenant()).await, "acme");
    let _ = telemetry.shutdown();
}

/// A span that is not wanted passes the trace of the one around it on, and writes nothing onto it.
#[tokio::test]
#[test_fork::fork]
async fn without_its_own_span_a_request_has_the_current_one() {
    let telemetry = text_only()
        .without_subscriber()
        .span_level(tracing::Level::WARN)
        .init()
        .expect("it starts");
    let subscriber = {
        use tracing_subscriber::layer::SubscriberExt;
        tracing_subscriber::registry().with(telemetry.layer())
    };
    let _default = tracing::subscriber::set_default(subscriber);
    let address = serve().await;
    let outer = tracing::warn_span!(
        "outer",
        error.type = tracing::field::Empty,
        otel.status_code = tracing::field::Empty
    );
    let request = client().get(format!("http://{address}/echo/1")).send();
    let response = tracing::Instrument::instrument(request, outer.clone()).await;
    let received = response.expect("a response").text().await.expect("a body");
    let mut expected = HeaderMap::new();
    outer.in_scope(|| propagation::inject_headers(&mut expected));
    assert_eq!(received, expected["traceparent"].to_str().expect("text"));
    let request = client().get(format!("http://{address}/missing")).send();
    let response = tracing::Instrument::instrument(request, outer.clone()).await;
    assert_eq!(response.expect("a response").status(), 404);
    drop(outer);
    assert_samples(&text(), "rustok_spans_with_errors_total", &[]);
    let _ = telemetry.shutdown();
}

#[tokio::test]
async fn without_telemetry_requests_are_unchanged() {
    let address = serve().await;
    for middleware in [
        TelemetryMiddleware::new(),
        TelemetryMiddleware::new().send_tenant(),
    ] {
        let client = with(middleware).build();
        let response = client.get(format!("http://{address}/echo/1")).send().await;
        let received = response.expect("a response").text().await.expect("a body");
        assert_eq!(received, "");
    }
    let context = propagation::extract_headers(&HeaderMap::new());
    assert!(!context.span().span_context().is_valid());
}
