//! Every request has one outcome.

use std::time::Duration;

use async_trait::async_trait;
use axum::http::Extensions;
use opentelemetry::trace::Status;
use reqwest_middleware::reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next};
use rustok_telemetry::{
    ErrorType,
    http::client::{TelemetryMiddleware, UrlTemplate},
};
use tokio::net::TcpListener;

use crate::{
    server::{client, serve, with},
    spans::watch_counted,
    support::{
        assert_samples,
        exported::{Exporting, attribute},
        text, text_only,
    },
};

/// One outcome for each request, also if it is redirected.
#[tokio::test]
#[test_fork::fork]
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
        match response {
            Ok(response) => {
                let refused = response.error_for_status().err();
                let names = refused.as_ref().map(ErrorType::error_type);
                assert_eq!(names, (!error_type.is_empty()).then_some("status"));
            }
            Err(error) => assert_eq!(error.error_type(), error_type),
        }
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
#[test_fork::fork]
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
    let _ = telemetry.shutdown();
}
