//! Health checks: is it alive, can it serve, what does it measure.

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;

use crate::errors::Error;
use crate::state::AppState;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/_health/live", get(live))
        .route("/api/_health/ready", get(ready))
        .merge(rustok_telemetry::http::health_routes())
}

/// It runs.
async fn live() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// It can serve: the database answers.
async fn ready(State(state): State<AppState>) -> Result<StatusCode, Error> {
    state.db.ping().await?;
    Ok(StatusCode::NO_CONTENT)
}
