//! HTTP servers: a tower layer that makes the server span and every `rustok_http_*` metric, and the health routes.
//! For [clients](#clients) there is a middleware.
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
//! Add the layer last: it covers the routes that are there already, and a router that is merged later brings an
//! uncovered fallback with it, so that unmatched requests would not be counted.
//!
//! The layer keeps the type of the request's body, and wraps the response's in [`ResponseBody`]. Where the type must
//! stay axum's, as in `axum::serve` of a service that is no `Router`, or in `option_layer`, use
//! `TelemetryLayer::axum_body`.
//!
//! # Labels
//!
//! | label | values |
//! |---|---|
//! | `method` | the methods of RFC 9110 and `PATCH`; `_OTHER` for any other |
//! | `path`, `endpoint` | the route's template, such as `/api/products/{id}`; [`UNMATCHED`] where no route matched, since the raw path would let callers choose the number of series |
//! | `status` | the status code; [`CLIENT_CLOSED`], [`PANIC`] or [`BODY_ERROR`] where no whole response was sent |
//!
//! With axum (feature `axum`) the template is known from the router; a service that was nested with `nest_service` has
//! its prefix. Any other framework puts a [`RouteTemplate`] into the extensions of the request, before the layer, or of
//! the response, behind it. A layer around a whole `Router` runs before a route is known, so that the response must
//! tell it: by a `RouteTemplate` or axum's `MatchedPath` among its extensions.
//!
//! # Time and sizes
//!
//! A request ends when its response's body has been sent, or when the body is dropped because the client went away. A
//! body that the server need not send, as in an answer to `HEAD`, or that has been sent up to its length, is complete.
//!
//! A response's size is that of the data that was sent. A request's size is that of the data that the handler read,
//! where the body is axum's, tonic's or a `BoxBody`; else the length that the request declared. Without either, such
//! as for a chunked request to a plain hyper service, no size is recorded.
//!
//! # Streams
//!
//! The life of a stream says nothing about the speed of the service. So `rustok_http_request_duration_seconds` has the
//! time to a stream's head, and `rustok_http_stream_duration_seconds` the time to its end. A response is a stream if
//!
//! - its type is `text/event-stream`, `multipart/x-mixed-replace`, `application/x-ndjson`, `application/jsonl`,
//!   `application/json-seq` or `application/stream+json`; or
//! - neither its `Content-Length` nor its body tells its length, and it has no `Content-Encoding`.
//!
//! The request is counted, and its span ends, with the body. After an upgrade, such as a WebSocket's, the request ends
//! with its head (`101`): the layer does not see what the connection is used for.
//!
//! # Spans
//!
//! The span follows OpenTelemetry's [conventions for HTTP servers]: kind `server`, name `{method} {route}` (`HTTP` for
//! an unknown method), the caller's context as its parent, and the attributes `http.request.method`,
//! `http.request.method_original` (of an unknown method), `http.route`, `http.response.status_code`, `error.type`,
//! `network.protocol.version`, `url.path` and `url.scheme`. What is in headers and in the query string is recorded on
//! demand only: `server.address` and `server.port` by [`TelemetryLayer::server_address`], `client.address` by
//! [`TelemetryLayer::client_address`], `user_agent.original` by [`TelemetryLayer::user_agent`]; `url.query` never. The
//! response's `traceresponse` header tells the caller the trace, so that it can be given with a question. The span
//! declares `tenant_id`: call [`tenant::set`](crate::tenant::set) as soon as the tenant is known.
//!
//! Where only the service's own can be the callers, [`TelemetryLayer::tenant_from_baggage`] takes the tenant from them.
//! Where strangers can, [`TelemetryLayer::public_edge`] takes nothing: the span begins a trace of its own. See
//! [who decides](crate::propagation#trust).
//!
//! # Clients
//!
//! With the feature `reqwest-middleware` there is a middleware for clients, `http::client::TelemetryMiddleware`; any
//! other client calls [`inject_headers`](crate::propagation::inject_headers).
//!
//! [conventions for HTTP servers]: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span

mod attributes;
#[cfg(feature = "axum")]
mod axum_body;
mod body;
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
mod stream;

pub use self::{
    attributes::PeerAddress,
    body::ResponseBody,
    layer::{ResponseFuture, TelemetryLayer, TelemetryService},
    options::SpanFields,
    request_tracker::{BODY_ERROR, CLIENT_CLOSED, PANIC},
    route::{RouteTemplate, UNMATCHED},
};
#[cfg(feature = "axum")]
pub use self::{
    axum_body::{AxumResponseFuture, AxumTelemetryLayer, AxumTelemetryService},
    health::{DEFAULT_CHECK_TIMEOUT, HEALTH_PREFIX, HealthRoutes, health_routes},
};
