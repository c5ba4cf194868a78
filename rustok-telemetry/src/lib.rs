//! OpenTelemetry-native instrumentation for Rust services.
//!
//! Declare metrics as function signatures, record by calling the functions, and have them under exactly those names
//! in Prometheus, by way of an OpenTelemetry Collector and as text at `/api/_health/metrics`. Spans of `tracing` go to
//! the Collector as traces, and are counted before any sampling.
//!
//! ```no_run
//! use rustok_telemetry::metrics;
//!
//! fn main() -> Result<(), rustok_telemetry::InitError> {
//!     let telemetry = rustok_telemetry::init()?; // reads OTEL_*, keeps running until dropped
//!     metrics::record_event_published("ProductCreated", "acme");
//!     telemetry.shutdown();                      // sends everything, and tells what could not be sent
//!     Ok(())
//! }
//! ```
//!
//! # Where to read on
//!
//! 1. [`init()`] and [`builder()`]: how telemetry starts; [`Telemetry`] and [`ShutdownReport`]: how it ends.
//! 2. [`mod@metrics`]: the metrics that every service has, and the macro [`metrics`](macro@metrics) to declare others.
//! 3. [`instrument`]: spans of functions, with the outcome of each call; [`trace`]: what is counted of spans.
//! 4. [`http`]: the layer for servers, and the health routes.
//! 5. [`propagation`]: context into and out of requests and events.
//! 6. [`LogFormat`], [`Telemetry::log_layer`], [`Telemetry::log_export_layer`]: log lines, and log records by OTLP.
//! 7. [`config`]: the `OTEL_*` variables.
//!
//! # Cargo features
//!
//! By default `grpc`, `http` and `tls`, which can be left out; a setting that needs one of them is refused then, by name.
//!
//! - `grpc`, `http`: the protocols of OTLP. At least one is needed.
//! - `tls`: endpoints with `https://`, certificates and mTLS, by rustls with `ring`.
//! - `zstd`: the compression `zstd`, with its library in C. `gzip` is always there.
//! - `axum`: route templates for the HTTP layer, and the health routes as a router.
//! - `testing`: metrics and spans captured in memory, for the tests of services. For `[dev-dependencies]`.

extern crate self as rustok_telemetry;

pub mod config;
mod console;
mod delivery;
mod error;
mod error_type;
pub mod http;
mod init;
mod layers;
mod lifecycle;
mod logging;
pub mod metrics;
mod otlp;
mod pipeline;
pub mod propagation;
mod resource;
mod self_metrics;
mod shutdown;
pub mod tenant;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
pub mod trace;
mod value_length;

pub use rustok_telemetry_macros::{ErrorType, LabelValue, instrument, metrics};

pub use self::{
    error::InitError,
    error_type::ErrorType,
    init::{Builder, builder, init},
    lifecycle::lost_records,
    logging::LogFormat,
    metrics::{
        label_value::LabelValue,
        prometheus_text::{PrometheusText, TextError, prometheus_text},
    },
    shutdown::{DEFAULT_SHUTDOWN_TIMEOUT, ShutdownReport, Telemetry},
};

/// What the macros' expansions use. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use {linkme, tracing};

    pub use crate::error_type::{ErrorName, NamedFailure, NoFailure, Returned, TypedFailure};
    pub use crate::metrics::{
        Declaration, Kind, Label, ValueType, assert_boundaries,
        instrument::{Counter, Gauge, Histogram, Instrument, UpDownCounter},
        label_value::LabelValue,
        metric::Metric,
        observable::{
            Observable, ObservableCounter, ObservableGauge, ObservableInstrument, Observe, Read,
        },
        registered::{ALL as CATALOGUE, Registered},
    };
    pub use crate::trace::call::{Call, Site, Watched, once};
}

/// The pages in `docs/`, whose examples are compiled and run as tests.
#[cfg(all(doctest, feature = "axum", feature = "testing"))]
mod pages {
    #[doc = include_str!("../../docs/export.md")]
    mod export {}
    #[doc = include_str!("../../docs/http.md")]
    mod http {}
    #[doc = include_str!("../../docs/instrument.md")]
    mod instrument {}
    #[doc = include_str!("../../docs/logs.md")]
    mod logs {}
    #[doc = include_str!("../../docs/testing.md")]
    mod testing {}
}
