//! HTTP servers: a tower layer that creates a server span for each request and records the `rustok_http_*` metrics, and
//! the health routes. For [clients](#clients) there is a middleware.
//!
//! ```
//! # #[cfg(feature = "axum")] {
//! use axum::{Router, routing::get};
//! use rustok_telemetry::http::{TelemetryLayer, health_routes};
//!
//! let app: Router = Router::new()
//!     .route("/api/products/{id}", get(|| async { "a product" }))
//!     .merge(health_routes())
//!     .layer(TelemetryLayer::new());
//! # }
//! ```
//!
//! Add the layer last: it covers the routes that exist already. A router that is merged later brings a fallback that the
//! layer does not cover, so unmatched requests are not counted.
//!
//! The layer keeps the type of the request body and wraps the response body in [`ResponseBody`]. Where the response must
//! have axum's body type, as in `option_layer` or in `axum::serve` of a service that is not a `Router`, use
//! `TelemetryLayer::axum_body`.
//!
//! # Labels
//!
//! | label | values |
//! |---|---|
//! | `method` | the methods of RFC 9110 and `PATCH`; `_OTHER` for any other |
//! | `path`, `endpoint` | the route template, such as `/api/products/{id}`; [`UNMATCHED`] if no route matches, because clients choose raw paths |
//! | `status` | the status code; [`CLIENT_CLOSED`], [`PANIC`] or [`BODY_ERROR`] if the response was not sent completely |
//!
//! With axum (feature `axum`) the template comes from the router; a service that was nested with `nest_service` has its
//! prefix. Other frameworks insert a [`RouteTemplate`] into the extensions of the request before the layer, or of the
//! response behind it. A layer around a whole `Router` runs before routing, so the response needs a `RouteTemplate` or
//! axum's `MatchedPath` in its extensions.
//!
//! # Time and sizes
//!
//! A request ends when its response body has been sent, or when the body is dropped because the client disconnected. A
//! body that has been sent up to its declared length, or that HTTP does not allow, as in a response to `HEAD`, is
//! complete.
//!
//! The size of a response is that of the data that was sent. The size of a request is that of the data that the handler
//! read, if its body has the type of axum or tonic or is a `BoxBody`; otherwise it is the declared length. Without
//! either, as for a chunked request to a plain hyper service, no size is recorded.
//!
//! # Streams
//!
//! The duration of a stream does not measure the latency of the service. For streams,
//! `rustok_http_request_duration_seconds` has the time to the response head, and `rustok_http_stream_duration_seconds`
//! the time to the end. A response is a stream if
//!
//! - its type is `text/event-stream`, `multipart/x-mixed-replace`, `application/x-ndjson`, `application/jsonl`,
//!   `application/json-seq` or `application/stream+json`; or
//! - neither a `Content-Length` nor the body declares its length, and it has no `Content-Encoding`.
//!
//! The request is counted, and its span ends, with the body. After an upgrade, for example to a WebSocket, the request
//! ends with its head (`101`): the layer does not see how the connection is used.
//!
//! # Spans
//!
//! The span follows OpenTelemetry's [conventions for HTTP servers]: kind `server`, name `{method} {route}` (`HTTP` for
//! an unknown method), the caller's context as its parent, and the attributes `http.request.method`,
//! `http.request.method_original` (of an unknown method), `http.route`, `http.response.status_code`, `error.type`,
//! `network.protocol.version`, `url.path` and `url.scheme`. Values of headers are recorded only with an option:
//! `server.address` and `server.port` with [`TelemetryLayer::server_address`], `client.address` with
//! [`TelemetryLayer::client_address`], `user_agent.original` with [`TelemetryLayer::user_agent`]. `url.query` is never
//! recorded. The response header `traceresponse` has the trace id, so that a caller can report it. The span declares
//! `tenant_id`: call [`tenant::set`](crate::tenant::set) as soon as the tenant is known.
//!
//! A service whose callers are all internal can accept their tenant with [`TelemetryLayer::tenant_from_baggage`]. A
//! public service uses nothing of its callers with [`TelemetryLayer::public_edge`]: the span begins a new trace. See
//! [trust](crate::propagation#trust).
//!
//! # Metrics of OpenTelemetry's conventions
//!
//! With [`Builder::with_semantic_http_metrics`](crate::Builder::with_semantic_http_metrics), the layer and the middleware
//! for clients also record the metrics of OpenTelemetry's [conventions for HTTP metrics], for dashboards that expect them:
//!
//! | OTLP | Prometheus text | attributes |
//! |---|---|---|
//! | `http.server.request.duration` (`s`) | `http_server_request_duration_seconds` | `http.request.method`, `url.scheme`, `network.protocol.version`, `http.route`, `http.response.status_code`, `error.type` |
//! | `http.server.request.body.size`, `http.server.response.body.size` (`By`) | `http_server_request_body_size_bytes`, `http_server_response_body_size_bytes` | the same |
//! | `http.server.active_requests` | `http_server_active_requests` | `http.request.method`, `url.scheme` |
//! | `http.client.request.duration` (`s`) | `http_client_request_duration_seconds` | `http.request.method`, `server.address`, `server.port`, `network.protocol.version`, `http.response.status_code`, `error.type` |
//! | `http.client.request.body.size`, `http.client.response.body.size` (`By`) | `http_client_request_body_size_bytes`, `http_client_response_body_size_bytes` | the same |
//!
//! - An attribute is absent where it does not apply: `http.route` of an unmatched request, `error.type` of a success, and
//!   `http.response.status_code` without a response. `error.type` is that of the span; a cancelled request has no
//!   `error.type`.
//! - `http.server.request.duration` of a [stream](#streams) is the time to the response head. The duration of a client's
//!   request ends with the response head as well, and the size of the response is the declared one.
//! - `server.address` has [100 values](crate::metrics::DEFAULT_LABEL_BUDGET); further hosts are folded to `other`, without
//!   port. Each metric has at most 2000 label sets; further ones share the series with `otel_metric_overflow="true"`.
//! - They have no exemplars.
//!
//! # Clients
//!
//! With the feature `reqwest-middleware` there is a middleware for clients, `http::client::TelemetryMiddleware`. Any
//! other client calls [`inject_headers`](crate::propagation::inject_headers).
//!
//! [conventions for HTTP metrics]: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
//! [conventions for HTTP servers]: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span

mod attributes;
#[cfg(feature = "axum")]
mod axum_body;
#[cfg(feature = "reqwest-middleware")]
pub mod client;
#[cfg(feature = "axum")]
mod health;
mod layer;
mod method;
mod options;
mod received;
mod request_tracker;
mod route;
mod second_layer;
mod semantic;
mod stream;

pub(crate) use self::semantic::start_semantic_metrics;
pub use self::{
    attributes::PeerAddress,
    layer::{ResponseBody, ResponseFuture, TelemetryLayer, TelemetryService},
    options::SpanFields,
    request_tracker::{BODY_ERROR, CLIENT_CLOSED, PANIC},
    route::{RouteTemplate, UNMATCHED},
};
#[cfg(feature = "axum")]
pub use self::{
    axum_body::{AxumResponseFuture, AxumTelemetryLayer, AxumTelemetryService},
    health::{DEFAULT_CHECK_TIMEOUT, HEALTH_PREFIX, HealthRoutes, health_routes},
};
