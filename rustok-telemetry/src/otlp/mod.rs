//! Exporters of all signals for OTLP, over gRPC and over HTTP with protobuf.
//!
//! The SDK's batch processors and its periodic reader call an exporter (`spans.rs`, `log_records.rs`, `metrics/`) on
//! their threads. The exporter encodes the items into requests of limited size (`requests.rs`). Its sender (`sender.rs`)
//! sends them by one of the protocols (`grpc.rs`, `http.rs`), with retries (`retry.rs`), and records the outcome.
//! Connections (`connector.rs`) live on a runtime of their own (`runtime.rs`). So certificates, timeouts and the reasons
//! of failures are the same for both protocols, all signals and every runtime of the application, and no Cargo feature of
//! another crate changes the client.

#[cfg(not(any(feature = "grpc", feature = "http")))]
compile_error!("rustok-telemetry needs one of its Cargo features `grpc` and `http`");

mod connector;
#[cfg(not(all(feature = "grpc", feature = "http")))]
mod disabled;
mod error_reporting;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
mod log_records;
mod metrics;
mod proxy;
mod requests;
mod retry;
mod runtime;
mod sender;
mod spans;
mod target;
pub(crate) mod tls;

#[cfg(not(feature = "grpc"))]
use self::disabled as grpc;
#[cfg(not(feature = "http"))]
use self::disabled as http;
pub(crate) use self::{
    connector::BoxedStream, log_records::LogRecordExporter, metrics::MetricExporter,
    runtime::ConnectionRuntime, spans::OtlpSpanExporter,
};
