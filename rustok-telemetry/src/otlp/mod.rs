//! Exporters of all signals for OTLP, over gRPC and over HTTP with protobuf.
//!
//! A span or a log record is encoded once (`encode.rs`), by the thread that ends or emits it (`spans.rs`,
//! `log_records.rs`), and queued; a thread for each signal exports batches (`batches.rs`). The push reader of the metrics
//! calls their exporter (`metrics/`). Items are put into requests of limited size (`requests.rs`). A sender
//! (`sender.rs`) sends them by one of the protocols (`grpc.rs`, `http.rs`), and records the outcome. What failed for a
//! temporary reason is sent again by the signal's schedule (`retry.rs`), in smaller requests if the link is slow
//! (`request_size.rs`). With the Cargo feature `spool`, a batch is on disk until it has been exported (`spool/`).
//! Connections (`connector.rs`) live on a runtime of their own (`runtime.rs`). So certificates, timeouts and the reasons
//! of failures are the same for both protocols, all signals and every runtime of the application, and no Cargo feature of
//! another crate changes the client.

#[cfg(not(any(feature = "grpc", feature = "http")))]
compile_error!("rustok-telemetry needs one of its Cargo features `grpc` and `http`");

mod batches;
mod connector;
#[cfg(not(all(feature = "grpc", feature = "http")))]
mod disabled;
mod encode;
mod error_reporting;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
mod log_records;
mod metrics;
mod proxy;
mod request_size;
mod requests;
mod retry;
mod runtime;
mod sender;
mod spans;
#[cfg(feature = "spool")]
mod spool;
mod target;
pub(crate) mod tls;

#[cfg(not(feature = "grpc"))]
use self::disabled as grpc;
#[cfg(not(feature = "http"))]
use self::disabled as http;
pub(crate) use self::{
    connector::BoxedStream,
    log_records::{EncodingLogProcessor, LogExport, LogObserver, drop_log_record_if_full},
    metrics::MetricExporter,
    runtime::ConnectionRuntime,
    spans::{EncodingSpanProcessor, SpanEncoding, SpanExport, SpanObserver},
};
