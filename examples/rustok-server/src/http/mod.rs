//! The service over HTTP: REST, GraphQL and health checks.

mod graphql;
mod health;
mod problem;
mod rest;
mod tenant;

use std::time::Duration;

use axum::Router;
use http::{StatusCode, Uri};
use rustok_telemetry::http::TelemetryLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::errors::Error;
use crate::state::AppState;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// All routes.
///
/// The telemetry layer is the outermost: it sees requests that time out, and the 500 that a
/// panic becomes.
pub fn routes(state: AppState) -> Router {
    Router::new()
        .merge(rest::routes())
        .merge(graphql::routes(&state))
        .merge(health::routes(state.db.clone()))
        .fallback(no_such_path)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            TIMEOUT,
        ))
        .layer(CatchPanicLayer::new())
        .layer(TelemetryLayer::new())
        .with_state(state)
}

async fn no_such_path(uri: Uri) -> Error {
    Error::NotFound {
        what: "path",
        id: uri.path().to_owned(),
    }
}
