//! Who decides about the tenant and about the trace of a request: a table of what callers send and of what services
//! trust, over every signal.
#![cfg(all(
    feature = "axum",
    feature = "grpc",
    feature = "http",
    feature = "tls",
    feature = "zstd"
))]

#[path = "../wire/receiver.rs"]
#[allow(dead_code, reason = "shared with the tests of what is sent")]
mod receiver;
mod sampling;
#[path = "../support/mod.rs"]
mod support;
mod table;
mod tenants;

use axum::{Router, body::Body, http::Request, response::Response, routing::get};
use http::HeaderMap;
use rustok_telemetry::http::TelemetryLayer;
use tower::ServiceExt;

/// Sends a request through a service with this layer. Its handler gets the headers.
async fn request<Handler, Answer>(
    layer: TelemetryLayer,
    path: &str,
    headers: &[(&str, &str)],
    handler: Handler,
) -> Response
where
    Handler: Fn(HeaderMap) -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = String> + Send,
{
    let app = Router::new()
        .route("/{case}", get(move |headers: HeaderMap| handler(headers)))
        .layer(layer);
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    app.oneshot(request).await.expect("infallible")
}
