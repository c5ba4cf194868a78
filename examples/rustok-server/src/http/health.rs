//! Health checks: is it alive, can it serve, what does it measure, how does its telemetry fare.

use axum::Router;
use rustok_telemetry::http::HealthRoutes;

use crate::db::Database;
use crate::state::AppState;

/// It can serve when the database answers.
pub(super) fn routes(db: Database) -> Router<AppState> {
    HealthRoutes::new()
        .check("database", move || {
            let db = db.clone();
            async move { db.ping().await }
        })
        .into_router()
}
