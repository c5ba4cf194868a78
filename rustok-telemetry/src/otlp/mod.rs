//! Exporters of all signals for OTLP, over gRPC and over HTTP with protobuf.
//!
//! The exporters run on threads of the SDK, whatever runtime the application uses, or none. What connects is ours for
//! both protocols (`connector.rs`), on a small runtime of its own (`runtime.rs`): so certificates, timeouts and the
//! reasons of failures are the same for both, and no Cargo feature of another crate can exchange the client.
//!
//! Spans and log records are put into requests by opentelemetry-otlp (`grpc.rs`, `http.rs`), metrics by ourselves
//! (`metrics/`): most of them the SDK does not know.

#[cfg(not(any(feature = "grpc", feature = "http")))]
compile_error!("rustok-telemetry needs one of its Cargo features `grpc` and `http`");

mod connector;
mod destination;
#[cfg(feature = "grpc")]
mod grpc;
mod headers;
#[cfg(feature = "http")]
mod http;
#[cfg(not(all(feature = "grpc", feature = "http")))]
mod left_out;
mod metrics;
mod proxy;
mod runtime;
mod watched;

#[cfg(not(feature = "grpc"))]
use self::left_out as grpc;
#[cfg(not(feature = "http"))]
use self::left_out as http;

use std::{fmt::Display, time::Duration};

use opentelemetry_otlp::{LogExporter, SpanExporter};
use opentelemetry_sdk::metrics::Temporality;

pub(crate) use self::{connector::BoxedStream, runtime::ConnectionRuntime};
use self::{destination::Destination, metrics::MetricExporter};
use crate::{
    InitError,
    config::{Compression, OtlpConfig, Protocol},
    delivery::Reporting,
};

/// The exporter for spans. `limit` bounds an export besides the exporter's own timeout.
pub(crate) fn span_exporter(
    config: &OtlpConfig,
    limit: Option<Duration>,
    runtime: &mut ConnectionRuntime,
) -> Result<Reporting<SpanExporter>, InitError> {
    let destination = Destination::new(config, limit, runtime)?;
    let exporter = match *config.protocol {
        Protocol::Grpc => grpc::spans(&destination)?,
        Protocol::HttpProtobuf => http::spans(&destination)?,
    };
    Ok(reporting(exporter, destination))
}

/// The exporter for log records. `limit` bounds an export besides the exporter's own timeout.
pub(crate) fn log_exporter(
    config: &OtlpConfig,
    limit: Option<Duration>,
    runtime: &mut ConnectionRuntime,
) -> Result<Reporting<LogExporter>, InitError> {
    let destination = Destination::new(config, limit, runtime)?;
    let exporter = match *config.protocol {
        Protocol::Grpc => grpc::log_records(&destination)?,
        Protocol::HttpProtobuf => http::log_records(&destination)?,
    };
    Ok(reporting(exporter, destination))
}

/// The exporter for metrics. `limit` bounds an export besides the exporter's own timeout.
pub(crate) fn metric_exporter(
    config: &OtlpConfig,
    temporality: Temporality,
    limit: Option<Duration>,
    runtime: &mut ConnectionRuntime,
) -> Result<Reporting<MetricExporter>, InitError> {
    let destination = Destination::new(config, limit, runtime)?;
    let transport = match *config.protocol {
        Protocol::Grpc => grpc::metrics(&destination)?,
        Protocol::HttpProtobuf => http::metrics(&destination)?,
    };
    let exporter = MetricExporter::new(&destination, transport, temporality);
    Ok(reporting(exporter, destination))
}

fn reporting<E>(exporter: E, destination: Destination<'_>) -> Reporting<E> {
    let url = destination.config.shown_url();
    Reporting::new(exporter, url, destination.failure)
}

fn compression(config: &OtlpConfig) -> Option<opentelemetry_otlp::Compression> {
    match *config.compression {
        Compression::None => None,
        Compression::Gzip => Some(opentelemetry_otlp::Compression::Gzip),
        Compression::Zstd => Some(opentelemetry_otlp::Compression::Zstd),
    }
}

fn failed(destination: &Destination<'_>, error: &dyn Display) -> InitError {
    let url = destination.config.shown_url();
    InitError::Pipeline(format!("the OTLP exporter to {url}: {error}"))
}
