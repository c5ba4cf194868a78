//! gRPC (feature `tonic`): tower layers for tonic's servers and clients, which create a span for each call and record
//! the `rustok_grpc_*` metrics.
//!
//! ```
//! # use std::{convert::Infallible, net::SocketAddr};
//! # use http::Request;
//! # use tonic::{body::Body, server::NamedService, transport::Channel};
//! use rustok_telemetry::grpc::{ClientLayer, ClientService, ServerLayer};
//! use tower_layer::Layer;
//!
//! // The argument of a generated client: `InventoryClient::new(instrumented(channel))`.
//! fn instrumented(channel: Channel) -> ClientService<Channel> {
//!     ClientLayer::new().layer(channel)
//! }
//! // A server: `Server::builder().layer(ServerLayer::new()).add_service(InventoryServer::new(…))`.
//! let layer = ServerLayer::new();
//! ```
//!
//! The feature `grpc` is another: it enables the protocol `grpc` of the OTLP exporters.
//!
//! # Outcomes
//!
//! A call ends with its status, in the headers or in the trailers, or when it is dropped. `code` is
//!
//! | what happened | `code` | span of the server | span of the client |
//! |---|---|---|---|
//! | a status | its name, such as `NOT_FOUND` | error for `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`, `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS`; cancelled for `CANCELLED` | error, unless `OK` |
//! | the deadline passed | `DEADLINE_EXCEEDED` | error | error |
//! | the client disconnected, or dropped the call | `CANCELLED` | cancelled | cancelled |
//! | a panic | [`PANIC`] | error | error, if a layer below panicked |
//! | no status | by gRPC's mapping of HTTP statuses, `UNKNOWN` for 200 | as for a status | error |
//!
//! The deadline is that of the metadata `grpc-timeout`, and of [`ServerLayer::timeout`]. A call that is dropped at or
//! after its deadline, or at most 20 ms before it, has exceeded it, because the clocks of client and server do not start
//! at the same time. The status `CANCELLED` after the deadline counts as `DEADLINE_EXCEEDED`: tonic's timeouts end in
//! `CANCELLED`.
//!
//! # Labels
//!
//! `service` and `method` are the names of a known method. Both are [`UNKNOWN_METHOD`] for any other, because clients
//! choose what they call. A method is known if it was declared with [`ServerLayer::known_methods`], if the client is a
//! generated one, or as soon as a handler has begun to respond with messages. Declare the methods of a server, so that
//! errors before the first success have their names too.
//!
//! # Messages
//!
//! Messages are counted while they pass, so a stream that never ends is counted too. Messages of the request are counted
//! if its body has the type of tonic or axum or is a `BoxBody`. A message that was not passed completely does not count.
//!
//! # Spans
//!
//! The spans follow OpenTelemetry's [conventions for gRPC]: kind `server` or `client`, the name `{service}/{method}`
//! (`grpc` for an unknown method), and the attributes `rpc.system.name`, `rpc.method`, `rpc.method_original` (of an
//! unknown method), `rpc.response.status_code`, `error.type`, and for clients `server.address` and `server.port`. In the
//! span metrics their `operation` is `grpc_request` or `grpc_client_request`. A span lasts as long as its call, with all
//! of its stream.
//!
//! Metadata, messages, and the message of a status are never recorded, because they may hold secrets.
//!
//! The context of a caller is used as by the [HTTP layer](crate::http#spans): see
//! [trust](crate::propagation#trust). The server's span declares `tenant_id`: call [`tenant::set`](crate::tenant::set) as
//! soon as the tenant is known.
//!
//! [conventions for gRPC]: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/

mod call;
mod client;
mod code;
mod deadline;
mod excluded;
mod messages;
mod method;
mod server;

use self::call::GrpcCall;
pub use self::{
    call::PANIC,
    client::{ClientLayer, ClientService},
    method::UNKNOWN_METHOD,
    server::{ServerLayer, ServerService},
};

/// A response body that counts the messages, and ends the call after the status.
pub type ResponseBody<B> = crate::request::ResponseBody<B, GrpcCall>;

/// The future of [`ServerService`] and [`ClientService`].
pub type ResponseFuture<F> = crate::request::ResponseFuture<F, GrpcCall>;
