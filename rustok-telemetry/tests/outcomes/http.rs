//! Handlers of HTTP requests.

use std::{convert::Infallible, future::pending};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Request, StatusCode},
    response::Response,
    routing::get,
};
use http_body_util::BodyExt;
use rustok_telemetry::http::{RouteTemplate, TelemetryLayer};
use tower::{Layer, Service, ServiceExt};

use super::table::{ACTIVE, Case, End, REQUEST_DURATION, REQUESTS, SpanEnd, Style, Traces, drive};

pub(crate) async fn run(case: &Case) {
    if case.end == End::NeverPolled {
        return taken_and_dropped(case);
    }
    let app = router(case, get(handler).with_state(*case));
    drive(case.end, async {
        let response = app.oneshot(request(case)).await.expect("infallible");
        response.into_body().collect().await.expect("a body");
    })
    .await;
}

/// The layer has the request, and its future is dropped unpolled.
fn taken_and_dropped(case: &Case) {
    let service = tower::service_fn(|_| pending::<Result<Response, Infallible>>());
    let mut request = request(case);
    request
        .extensions_mut()
        .insert(RouteTemplate(route(case).into()));
    drop(TelemetryLayer::new().layer(service).call(request));
}

async fn handler(State(case): State<Case>) -> Result<&'static str, StatusCode> {
    if case.style == Style::Async {
        tokio::task::yield_now().await;
    }
    match case.end {
        End::Ok => Ok("done"),
        End::Err => Err(StatusCode::INTERNAL_SERVER_ERROR),
        End::Panic => panic!("on purpose"),
        End::Dropped | End::NeverPolled => pending().await,
    }
}

pub(crate) fn expected(case: &Case) -> Traces {
    match case.end {
        End::Ok => request_with(case, "200", SpanEnd::Ok),
        End::Err => request_with(case, "500", SpanEnd::Error("500".to_owned())),
        End::Panic => request_with(case, "panic", SpanEnd::Error("panic".to_owned())),
        End::Dropped | End::NeverPolled => request_with(case, "client_closed", SpanEnd::Cancelled),
    }
}

pub(crate) fn router(case: &Case, handler: axum::routing::MethodRouter) -> Router {
    Router::new()
        .route(&route(case), handler)
        .layer(TelemetryLayer::new())
}

pub(crate) fn request(case: &Case) -> Request<Body> {
    Request::builder()
        .uri(format!("{}?token=hunter2", route(case)))
        .header("authorization", "Bearer hunter2")
        .body(Body::empty())
        .expect("a request")
}

/// One request with its span, and no connection left.
pub(crate) fn request_with(case: &Case, status: &str, end: SpanEnd) -> Traces {
    let mut traces = Traces::default();
    let route = route(case);
    let of = [("method", "GET"), ("path", &*route)];
    traces.count(REQUESTS, &[of[0], of[1], ("status", status)], 1.0);
    traces.count(REQUEST_DURATION, &of, 1.0);
    traces.count(ACTIVE, &[], 0.0);
    traces.span("http_request", &format!("GET {route}"), "none", end);
    traces
}

pub(crate) fn route(case: &Case) -> String {
    format!("/{}", case.name())
}
