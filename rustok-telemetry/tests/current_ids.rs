//! The ids of the current span, for error responses and audit rows.
#![cfg(feature = "axum")]

mod support;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use http_body_util::BodyExt;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use rustok_telemetry::{
    http::TelemetryLayer,
    instrument, propagation,
    trace::{SpanIds, current_ids},
};
use support::{exported::Exporting, text_only, with_variables};
use tower::ServiceExt;
use tracing_subscriber::layer::SubscriberExt;

fn text_of(ids: Option<SpanIds>) -> String {
    let ids = ids.expect("within a span");
    format!("{}-{}", ids.trace_id, ids.span_id)
}

/// The ids that a called service would get.
fn sent() -> String {
    let mut headers = HeaderMap::new();
    propagation::inject_headers(&mut headers);
    let value = headers["traceparent"].to_str().expect("text");
    value["00-".len()..value.len() - "-01".len()].to_owned()
}

#[instrument]
fn inner() -> SpanIds {
    assert_eq!(text_of(current_ids()), sent());
    current_ids().expect("within a span")
}

#[instrument]
async fn outer() -> [SpanIds; 3] {
    let before = current_ids().expect("within a span");
    let inner = inner();
    tokio::task::yield_now().await;
    [before, inner, current_ids().expect("within a span")]
}

struct Failed;

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, text_of(current_ids())).into_response()
    }
}

async fn fails() -> Result<(), Failed> {
    tokio::task::yield_now().await;
    Err(Failed)
}

/// Sends a request; compares the ids in the error response with those of the header `traceresponse`.
async fn check_error_response() -> String {
    let app: Router = Router::new()
        .route("/", get(fails))
        .layer(TelemetryLayer::new());
    let request = Request::builder().uri("/").body(Body::empty());
    let response = app.oneshot(request.expect("a request")).await;
    let response = response.expect("infallible");
    let header = response.headers()["traceresponse"].to_str();
    let header = header.expect("text").to_owned();
    let body = response.into_body().collect().await.expect("a body");
    let body = String::from_utf8(body.to_bytes().to_vec()).expect("text");
    assert_eq!(header["00-".len()..header.len() - "-01".len()], body);
    body
}

async fn check_functions() {
    assert_eq!(current_ids(), None, "outside of a span");
    let [before, inner, after] = outer().await;
    assert_eq!(before, after);
    assert_eq!(before.trace_id, inner.trace_id);
    assert_ne!(before.span_id, inner.span_id);
    assert_eq!(current_ids(), None, "after the span");
}

#[tokio::test]
#[test_fork::fork]
async fn functions_and_handlers_have_ids() {
    assert_eq!(current_ids(), None, "before `init`");
    let telemetry = text_only().init().expect("telemetry starts");
    check_functions().await;
    check_error_response().await;
    let _ = telemetry.shutdown();
}

#[tokio::test]
#[test_fork::fork]
async fn a_subscriber_of_the_service_has_ids() {
    let exporting = Exporting::start();
    check_functions().await;
    let body = check_error_response().await;
    let context = exporting.span("GET /").span_context;
    let exported = format!("{}-{}", context.trace_id(), context.span_id());
    assert_eq!(body, exported);
}

#[test_fork::test]
fn a_layer_that_attaches_no_context_has_ids() {
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("test"))
        .with_context_activation(false);
    let subscriber = tracing_subscriber::registry().with(layer);
    let _default = tracing::subscriber::set_default(subscriber);
    assert_eq!(current_ids(), None);
    tracing::info_span!("work").in_scope(|| assert!(current_ids().is_some()));
}

#[test_fork::test]
fn spans_of_the_api_have_ids() {
    let _telemetry = text_only().init().expect("telemetry starts");
    opentelemetry::global::tracer("test").in_span("work", |context| {
        let span = context.span().span_context().clone();
        let expected = format!("{}-{}", span.trace_id(), span.span_id());
        assert_eq!(text_of(current_ids()), expected);
    });
}

#[test_fork::test]
fn spans_that_are_not_sampled_have_ids() {
    let _telemetry = with_variables(&[("OTEL_TRACES_SAMPLER", "always_off")])
        .init()
        .expect("telemetry starts");
    tracing::info_span!("work").in_scope(|| assert!(current_ids().is_some()));
}

#[test_fork::test]
fn the_span_of_a_caller_is_not_the_current_span() {
    let _telemetry = text_only().init().expect("telemetry starts");
    let mut headers = HeaderMap::new();
    let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    headers.insert("traceparent", caller.parse().expect("a value"));
    let _attached = propagation::extract_headers(&headers).attach();
    assert_eq!(current_ids(), None);
    let ids = tracing::info_span!("work").in_scope(|| text_of(current_ids()));
    assert!(
        ids.starts_with("4bf92f3577b34da6a3ce929d0e0e4736-"),
        "{ids}"
    );
    assert!(!ids.ends_with("00f067aa0ba902b7"), "{ids}");
}

#[test_fork::test]
fn disabled_telemetry_has_no_ids() {
    let _telemetry = with_variables(&[("OTEL_SDK_DISABLED", "true")])
        .init()
        .expect("telemetry starts");
    tracing::info_span!("work").in_scope(|| assert_eq!(current_ids(), None));
}
