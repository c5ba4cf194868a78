//! The service over HTTP: REST, GraphQL and health checks.

mod drills;
mod graphql;
mod health;
mod problem;
mod rest;
mod tenant;

use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
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
/// panic becomes. With `drills`, faults can be switched on.
pub fn routes(state: AppState, drills: bool) -> Router {
    let mut api = rest::routes().merge(graphql::routes(&state));
    if drills {
        let slow_down = from_fn_with_state(state.faults.clone(), drills::slow_down);
        api = api.layer(slow_down).merge(drills::routes());
    }
    Router::new()
        .merge(api)
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
