//! Health routes for axum: metrics as text, health of the telemetry, liveness and readiness of the service.

mod checks;

use std::{fmt::Display, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use self::checks::{Check, Checked};
use crate::prometheus::response::text_response;

/// Path below which the health routes are. Requests there are not counted.
pub const HEALTH_PREFIX: &str = super::options::HEALTH_PREFIX;

/// The default timeout of the readiness checks; see [`HealthRoutes::timeout`].
pub const DEFAULT_CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Routes for the health of the telemetry:
///
/// - `GET /api/_health/metrics`: all metrics as Prometheus text, or in OpenMetrics with exemplars if `Accept` prefers it
///   (see [`prometheus_text_for`](crate::prometheus_text_for)); with gzip if `Accept-Encoding` allows it; 503 with the
///   reason if telemetry is not running.
/// - `GET /api/_health/telemetry`: [`Health`](crate::Health) as JSON. The status is always 200, because a service can
///   serve without telemetry.
/// - `GET /api/_health/console` and paths below it: the console, with the feature `console`; 404 unless
///   `Builder::console` enables it.
///
/// [`HealthRoutes`] adds the routes for the service itself.
pub fn health_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let routes = Router::new()
        .route("/api/_health/metrics", get(metrics))
        .route("/api/_health/telemetry", get(telemetry));
    #[cfg(feature = "console")]
    let routes = crate::console::add_to(routes);
    routes
}

/// Routes for the health of the service and its telemetry, with readiness checks of the application.
///
/// In addition to those of [`health_routes`]:
///
/// - `GET /api/_health/live`: 200 as long as the process serves. It checks nothing else, so that an orchestrator does
///   not restart the service because its database is unreachable.
/// - `GET /api/_health/ready`: 200 if every check passes, otherwise 503. The body names each check with its outcome:
///   `passed`, `failed`, `timed_out` or `panicked`. The error of a failed check is logged once until it passes again.
///
/// ```
/// use std::time::Duration;
/// use axum::Router;
/// use rustok_telemetry::http::HealthRoutes;
/// # #[derive(Clone)] struct Database;
/// # impl Database { async fn ping(&self) -> Result<(), std::io::Error> { Ok(()) } }
/// # let database = Database;
///
/// let health = HealthRoutes::new()
///     .check("database", move || {
///         let database = database.clone();
///         async move { database.ping().await }
///     })
///     .timeout(Duration::from_secs(1));
/// let app: Router = Router::new().merge(health);
/// ```
#[derive(Debug)]
#[must_use = "merge the routes into a router"]
pub struct HealthRoutes {
    checks: Vec<Check>,
    timeout: Duration,
}

impl Default for HealthRoutes {
    fn default() -> Self {
        Self::new()
    }
}

impl HealthRoutes {
    /// Returns routes without a check: the service is ready as soon as it serves.
    pub fn new() -> Self {
        Self {
            checks: Vec::new(),
            timeout: DEFAULT_CHECK_TIMEOUT,
        }
    }

    /// Adds a check that must pass for the service to be ready. The response shows `name`.
    ///
    /// All checks run concurrently, each in its own task. A check is aborted at the timeout, and must not block its
    /// thread.
    pub fn check<F, R, E>(mut self, name: impl Into<String>, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Display,
    {
        self.checks.push(Check::new(name.into(), check));
        self
    }

    /// Sets the timeout of all checks together; 2 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Converts to a router with any state. `Router::merge` calls this.
    pub fn into_router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let (checks, timeout) = (Arc::new(self.checks), self.timeout);
        let ready = move || async move { readiness(&checks::run(&checks, timeout).await) };
        health_routes()
            .route("/api/_health/live", get(live))
            .route("/api/_health/ready", get(ready))
    }
}

impl<S> From<HealthRoutes> for Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn from(routes: HealthRoutes) -> Self {
        routes.into_router()
    }
}

async fn metrics(headers: HeaderMap) -> Response {
    text_response(&headers).await.map(Body::from)
}

async fn telemetry() -> Response {
    answer(StatusCode::OK, &crate::health().to_json())
}

async fn live() -> Response {
    answer(StatusCode::OK, &json!({"status": "live"}))
}

fn readiness(checked: &[Checked]) -> Response {
    let ready = checked.iter().all(|check| check.outcome.passed());
    let checks = checked.iter().map(|check| {
        json!({
            "name": check.name,
            "outcome": check.outcome.name(),
            "milliseconds": u64::try_from(check.elapsed.as_millis()).unwrap_or(u64::MAX),
        })
    });
    let failing = checked.iter().filter(|check| !check.outcome.passed());
    let body = json!({
        "status": if ready { "ready" } else { "not_ready" },
        "failing": failing.map(|check| &check.name).collect::<Vec<_>>(),
        "checks": checks.collect::<Vec<_>>(),
    });
    let status = match ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    answer(status, &body)
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (axum::http::header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.to_string()).into_response()
}
