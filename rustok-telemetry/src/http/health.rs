//! Health routes for axum.

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::prometheus_text;

/// Path below which the health routes are. Requests there are not counted.
pub const HEALTH_PREFIX: &str = super::layer::HEALTH_PREFIX;

/// Routes for the health of the service: `GET /api/_health/metrics`, all metrics as Prometheus text.
///
/// When telemetry is not running, the route answers 503 and says why.
pub fn health_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new().route("/api/_health/metrics", get(metrics))
}

async fn metrics() -> Response {
    match prometheus_text() {
        Ok(text) => ([(CONTENT_TYPE, text.content_type)], text.body).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}
