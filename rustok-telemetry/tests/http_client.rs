//! Every request of a client is one span with one outcome, and carries the trace; no secret of a URL is in it.
#![cfg(all(feature = "axum", feature = "reqwest-middleware"))]

mod support;

#[path = "instrument/spans.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod spans;

use std::time::Duration;

use async_trait::async_trait;
use axum::{
    Router,
    http::{Extensions, HeaderMap, StatusCode},
    response::Redirect,
    routing::{any, get},
};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt};
use reqwest::{Client, Method, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use rustok_telemetry::{
    http::{
        TelemetryLayer,
        client::{TelemetryMiddleware, UrlTemplate},
    },
    propagation, tenant,
};
use spans::watch_counted;
use support::{
    assert_samples,
    exported::{Exporting, attribute},
    text, text_only,
};
use tokio::net::TcpListener;

/// Serves on this thread, until the test ends. Gives the address.
async fn serve() -> String {
    let app = Router::new()
        .route("/echo/{id}", any(traceparent))
        .route("/missing", get(|| async { StatusCode::NOT_FOUND }))
        .route("/broken", get(|| async { StatusCode::BAD_GATEWAY }))
        .route("/never", get(std::future::pending::<()>))
        .route("/moved", get(|| async { Redirect::temporary("/echo/1") }))
        .route("/loop", get(|| async { Redirect::temporary("/loop") }))
        .route(
            "/tenant",
            get(|| async { tenant::current().to_string() })
                .layer(TelemetryLayer::new().tenant_from_baggage()),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address.to_string()
}

async fn traceparent(headers: HeaderMap) -> String {
    let header = headers.get("traceparent");
    let text = header.map(|header| header.to_str().expect("text"));
    text.unwrap_or_default().to_owned()
}

fn client() -> ClientWithMiddleware {
    with(TelemetryMiddleware::new()).build()
}

fn with(middleware: TelemetryMiddleware) -> ClientBuilder {
    let client = Client::builder()
        .no_proxy()
        .timeout(Duration::from_millis(300))
        .redirect(reqwest::redirect::Policy::limited(2))
        .build()
        .expect("a client");
    ClientBuilder::new(client).with(middleware)
}

#[tokio::test]
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
async fn a_request_without_template_is_named_by_its_method() {
    let exporting = Exporting::start();
    let address = serve().await;
    let url = format!("http://{address}/echo/1");
    client().get(&url).send().await.expect("a response");
    let unknown = Method::from_bytes(b"BREW").expect("a method");
    client().request(unknown, &url).send().await.expect("sent");
    assert_eq!(attribute(&exporting.span("GET"), "url.template"), "");
    let other = exporting.span("_OTHER");
    assert_eq!(attribute(&other, "http.request.method"), "_OTHER");
}

/// One outcome for each request, also if it is redirected.
#[tokio::test]
async fn every_outcome_is_seen_once() {
    let address = serve().await;
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("an address").to_string()
    };
    let hangs_up = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                drop(connection);
            }
        });
        address
    };
    let exporting = Exporting::start();
    for (template, url, error_type, status) in [
        ("moved", format!("http://{address}/moved"), "", "200"),
        ("missing", format!("http://{address}/missing"), "404", "404"),
        ("broken", format!("http://{address}/broken"), "502", "502"),
        ("never", format!("http://{address}/never"), "timeout", ""),
        ("loop", format!("http://{address}/loop"), "redirect", ""),
        ("refused", format!("http://{refused}/"), "connect", ""),
        ("hangs_up", format!("http://{hangs_up}/"), "request", ""),
    ] {
        let request = client()
            .get(url)
            .with_extension(UrlTemplate(template.into()));
        let response = request.send().await;
        assert_eq!(response.is_ok(), !status.is_empty(), "{template}");
        let span = exporting.span(&format!("GET {template}"));
        assert_eq!(attribute(&span, "error.type"), error_type, "{template}");
        assert_eq!(attribute(&span, "http.response.status_code"), status);
        let expected = match error_type {
            "" => Status::Unset,
            _ => Status::error(""),
        };
        assert_eq!(span.status, expected, "{template}");
    }
    assert_eq!(exporting.all().len(), 7, "one span for a request");
}

/// Other middleware fails, panics, or answers by itself.
struct Other(&'static str);

#[async_trait]
impl Middleware for Other {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        match self.0 {
            "fails" => Err(reqwest_middleware::Error::middleware(std::fmt::Error)),
            "panics" => panic!("on purpose"),
            _ => next.run(request, extensions).await,
        }
    }
}

#[tokio::test]
async fn outcomes_are_counted() {
    let telemetry = text_only().without_subscriber().init().expect("it starts");
    let _seen = watch_counted(&telemetry);
    let address = serve().await;
    let get = |path: &str| client().get(format!("http://{address}/{path}")).send();
    get("echo/1").await.expect("a response");
    get("missing").await.expect("a response");
    // Given up while it waits, and never begun.
    let gone = tokio::time::timeout(Duration::from_millis(50), get("never")).await;
    assert!(gone.is_err());
    drop(get("never"));
    let failing = with(TelemetryMiddleware::new())
        .with(Other("fails"))
        .build();
    let failed = failing.get(format!("http://{address}/echo/1")).send().await;
    assert!(failed.is_err());
    let panicking = with(TelemetryMiddleware::new())
        .with(Other("panics"))
        .build();
    let request = panicking.get(format!("http://{address}/echo/1")).send();
    let panicked = tokio::spawn(request).await;
    assert!(panicked.expect_err("it panics").is_panic());
    let text = text();
    assert_samples(
        &text,
        "rustok_span_duration_seconds_count",
        &[(r#"{operation="http_client_request"}"#, "5")],
    );
    assert_samples(
        &text,
        "rustok_spans_with_errors_total",
        &[
            (r#"{error_type="404",operation="http_client_request"}"#, "1"),
            (
                r#"{error_type="error",operation="http_client_request"}"#,
                "1",
            ),
            (
                r#"{error_type="panic",operation="http_client_request"}"#,
                "1",
            ),
        ],
    );
    assert_samples(
        &text,
        "rustok_spans_cancelled_total",
        &[(r#"{operation="http_client_request"}"#, "1")],
    );
    telemetry.shutdown();
}

#[tokio::test]
async fn secrets_of_a_url_are_nowhere() {
    let telemetry = text_only().without_subscriber().init().expect("it starts");
    let seen = watch_counted(&telemetry);
    let address = serve().await;
    let refused = "127.0.0.1:1";
    for host in [address.as_str(), refused] {
        for path in ["echo/1", "missing", "never", "moved"] {
            let url = format!("http://user:pw-5ecret@{host}/{path}?token=t-5ecret#f-5ecret");
            let request = client().post(url).header("x-api-key", "k-5ecret");
            let _ = request.body("b-5ecret").send().await;
        }
    }
    let everything = format!("{} {}", seen.dump(), text());
    assert!(everything.contains(&format!("http://{address}/echo/1")));
    assert!(!everything.contains("5ecret"), "{everything}");
    assert!(!everything.contains("user"), "{everything}");
    telemetry.shutdown();
}

#[tokio::test]
async fn the_tenant_is_sent_only_where_it_is_asked_for() {
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
    telemetry.shutdown();
}

/// A span that is not wanted passes the trace of the one around it on, and writes nothing onto it.
#[tokio::test]
async fn without_a_span_of_its_own_a_request_belongs_to_the_one_around() {
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
    telemetry.shutdown();
}

#[tokio::test]
async fn without_telemetry_requests_are_sent_as_they_are() {
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
