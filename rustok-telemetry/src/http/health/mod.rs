//! Health routes for axum: metrics as text, health of the telemetry, liveness and readiness of the service.

mod checks;

use std::{fmt::Display, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use self::checks::{Check, Checked};
use crate::{
    access::{self, Access, Denied},
    config::{Network, Token},
    prometheus::response::{denied, text_response},
};

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
/// With `RUSTOK_TELEMETRY_ACCESS_TOKEN` or `RUSTOK_TELEMETRY_ACCESS_NETWORKS`, these routes need a bearer token (else
/// 401), or a peer in one of the networks (else 403).
///
/// [`HealthRoutes`] adds the routes for the service itself, and sets token and networks in code.
pub fn health_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes(&Arc::default())
}

fn routes<S>(access: &Arc<Access>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let routes = Router::new()
        .route("/api/_health/metrics", get(metrics))
        .route("/api/_health/telemetry", get(telemetry))
        .route_layer(from_fn_with_state(Arc::clone(access), guard));
    // It has more ways to give the token, and more conditions.
    #[cfg(feature = "console")]
    let routes = crate::console::add_to(routes, access);
    routes
}

/// Passes a request on if it is admitted.
async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    let (request, body) = request.into_parts();
    match admit(&access, &request) {
        Ok(()) => next.run(Request::from_parts(request, body)).await,
        Err(reason) => denied(reason, reason.sentence()).map(Body::from),
    }
}

fn admit(access: &Access, request: &Parts) -> Result<(), Denied> {
    access.admit(access::peer(&request.extensions), &request.headers)
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
/// With a [token](Self::bearer_token) or [networks](Self::allow_network), other requests get the status of both, and
/// not the checks: an orchestrator that is refused would restart the service.
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
    access: Access,
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
            access: Access::default(),
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

    /// Requires a token of requests to metrics, telemetry and console, as `Authorization: Bearer …`; takes precedence
    /// over `RUSTOK_TELEMETRY_ACCESS_TOKEN`. An empty token admits no request.
    ///
    /// Its value is compared in constant time. Serve by TLS, or within a network that is trusted.
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.access.token = Some(Token::new(token));
        self
    }

    /// Adds a network whose requests to metrics, telemetry and console are answered; takes precedence over
    /// `RUSTOK_TELEMETRY_ACCESS_NETWORKS`. Without one, those of all networks are.
    ///
    /// It is the peer of the connection that counts, which the service must pass on with
    /// `app.into_make_service_with_connect_info::<SocketAddr>()`; otherwise each request is refused. Headers of proxies,
    /// such as `X-Forwarded-For`, are not trusted: behind a proxy, allow the proxy, and restrict its clients there.
    ///
    /// ```
    /// use rustok_telemetry::http::HealthRoutes;
    ///
    /// # fn main() -> Result<(), rustok_telemetry::config::NetworkError> {
    /// let health = HealthRoutes::new()
    ///     .bearer_token("s3cret")
    ///     .allow_network("127.0.0.1".parse()?)
    ///     .allow_network("10.0.0.0/8".parse()?);
    /// # drop(health);
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_network(mut self, network: Network) -> Self {
        self.access.networks.push(network);
        self
    }

    /// Converts to a router with any state. `Router::merge` calls this.
    pub fn into_router<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let (checks, timeout) = (Arc::new(self.checks), self.timeout);
        let access = Arc::new(self.access);
        let routes = routes(&access);
        let ready = move |request: Parts| async move {
            let checked = checks::run(&checks, timeout).await;
            readiness(&checked, admit(&access, &request).is_ok())
        };
        routes
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

/// Responds with the status, and with the checks if the request is admitted.
fn readiness(checked: &[Checked], is_admitted: bool) -> Response {
    let ready = checked.iter().all(|check| check.outcome.passed());
    let checks = checked.iter().map(|check| {
        json!({
            "name": check.name,
            "outcome": check.outcome.name(),
            "milliseconds": u64::try_from(check.elapsed.as_millis()).unwrap_or(u64::MAX),
        })
    });
    let failing = checked.iter().filter(|check| !check.outcome.passed());
    let mut body = json!({"status": if ready { "ready" } else { "not_ready" }});
    if is_admitted {
        body["failing"] = failing.map(|check| json!(check.name)).collect();
        body["checks"] = checks.collect();
    }
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
