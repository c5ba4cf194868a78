//! The routes of the service.

use axum::{Router, extract::Path, http::StatusCode, routing::get};
use rustok_telemetry::{
    ErrorType,
    http::{HealthRoutes, TelemetryLayer},
    instrument,
};

/// Greetings sent.
#[rustok_telemetry::metrics::counter(name = "greetings_sent_total")]
fn record_sent(language: &str);

#[derive(Debug, ErrorType)]
enum GreetingError {
    NameTooLong,
}

/// Each call is a span, and its outcome is counted.
#[instrument(name = "greetings.greet", module = "greetings")]
fn greet(name: &str) -> Result<String, GreetingError> {
    if name.len() > 100 {
        return Err(GreetingError::NameTooLong);
    }
    record_sent("en");
    Ok(format!("Hello, {name}!\n"))
}

async fn greeting(Path(name): Path<String>) -> Result<String, StatusCode> {
    greet(&name).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)
}

/// Returns the routes. The layer is the last, because it covers the routes before it.
pub fn routes() -> Router {
    Router::new()
        .route("/api/greetings/{name}", get(greeting))
        // Ready as soon as it serves: add what it depends on with `.check(name, …)`.
        .merge(HealthRoutes::new())
        .layer(TelemetryLayer::new())
}
