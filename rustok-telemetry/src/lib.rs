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
//!     eprintln!("{}", telemetry.shutdown());     // sends everything, and tells what could not be sent
//!     Ok(())
//! }
//! ```
//!
//! # Where to read on
//!
//! 1. [`init()`] and [`builder()`]: how telemetry starts; [`Telemetry`] and [`ShutdownReport`]: how it ends;
//!    [`Telemetry::force_flush`]: how all is sent in between.
//! 2. [`mod@metrics`]: the metrics that every service has, and the macro [`metrics`](macro@metrics) to declare others;
//!    [`metrics::Timer`] for those that are times.
//! 3. [`instrument`]: spans of functions, with the outcome of each call; [`trace`]: what is counted of spans.
//! 4. [`http`]: the layer for servers, the middleware for clients, and the health routes.
//! 5. [`propagation`]: context into and out of requests and events; [`task`]: work that outlives a request;
//!    [`tenant`]: for whom it is done.
//! 6. [`event_bus`]: publishing and handling events; [`database`], [`cache`], [`circuit_breaker`]: other parts of a
//!    service that record themselves; [`runtime`]: the tokio runtime.
//! 7. [`LogFormat`], [`Telemetry::log_layer`], [`Telemetry::log_export_layer`]: log lines, and log records by OTLP.
//! 8. [`config`]: the `OTEL_*` variables. The program `rustok-telemetry-doctor` shows what they amount to, and whether
//!    telemetry arrives.
//! 9. [`health()`]: how telemetry itself fares; `http::HealthRoutes` (feature `axum`): the same and the service's own
//!    checks as routes.
//!
//! # Cargo features
//!
//! By default `grpc`, `http` and `tls`, which can be left out; a setting that needs one of them is refused then, by name.
//!
//! - `grpc`, `http`: the protocols of OTLP. At least one is needed.
//! - `tls`: endpoints with `https://`, certificates and mTLS, by rustls with `ring`.
//! - `zstd`: the compression `zstd`, with its library in C. `gzip` is always there.
//! - `axum`: route templates for the HTTP layer, and the health routes as a router.
//! - `b3`: the propagators `b3` and `b3multi`, for Zipkin.
//! - `config-file`: `OTEL_CONFIG_FILE`, OpenTelemetry's declarative configuration in YAML.
//! - `jaeger`: the propagator `jaeger`, for clients of Jaeger without W3C trace context.
//! - `moka`: `cache::Metered`, a cache of moka that records what it does.
//! - `process`: facts of the process, under the names of Prometheus' client libraries: `process_cpu_seconds_total`,
//!   `process_resident_memory_bytes`, `process_virtual_memory_bytes`, `process_open_fds`, `process_max_fds`,
//!   `process_start_time_seconds`, `process_threads`. They are read from `/proc` at collection; there is nothing to call.
//!   On systems other than Linux the feature compiles, and the metrics are absent.
//! - `reqwest-middleware`: `http::client`, the middleware for HTTP clients.
//! - `serde`: [`EventContext`](propagation::EventContext) as a map, to be kept in a table; [`Health`] can be
//!   serialised.
//! - `sql`: `database::record_statement`, which derives query type and table from the text of a statement.
//! - `sqlx`: names of sqlx's errors, and the connections of its pools.
//! - `testing`: metrics and spans captured in memory, for the tests of services. For `[dev-dependencies]`.
//! - `tower-resilience`: `circuit_breaker::observe`, for the breakers of `tower-resilience-circuitbreaker`.

extern crate self as rustok_telemetry;

mod attributes;
pub mod cache;
pub mod circuit_breaker;
pub mod config;
pub mod database;
mod delivery;
mod error;
mod error_type;
pub mod event_bus;
pub mod health;
pub mod http;
mod lifecycle;
mod logging;
pub mod metrics;
mod operation;
mod otlp;
mod prometheus;
pub mod propagation;
mod start;
mod stdout;
pub mod task;
pub mod tenant;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trace;

pub use rustok_telemetry_macros::{ErrorType, LabelValue, instrument, metrics};

pub use self::{
    error::InitError,
    error_type::ErrorType,
    health::{Health, health},
    lifecycle::{LostRecords, Stage, lost_records},
    logging::LogFormat,
    metrics::{catalog::tokio_runtime as runtime, label_value::LabelValue},
    prometheus::text::{PrometheusText, TextError, prometheus_text},
    start::{
        flush::FlushReport,
        init::{Builder, builder, init},
        shutdown::{DEFAULT_SHUTDOWN_TIMEOUT, ShutdownReport, Telemetry},
    },
};

/// What the macros' expansions use. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use {linkme, tracing};

    pub use crate::error_type::{ErrorName, NamedFailure, NoFailure, Returned, TypedFailure};
    pub use crate::metrics::{
        Declaration, Kind, Label, ValueType, assert_boundaries,
        instrument::{Counter, Gauge, Histogram, Instrument, Storage, Stored, UpDownCounter},
        label_value::LabelValue,
        metric::Metric,
        observable::{
            Observable, ObservableCounter, ObservableGauge, ObservableInstrument, Observe, Read,
        },
        registered::{ALL as CATALOGUE, InstallContext, RegisteredMetric, ViewOutcome},
        store::{
            buckets::Buckets,
            cell::{Last, Number, Sum},
            distribution::Distribution,
            histogram_cell::{HistogramCell, Measure},
            point::{Point, SeriesLabels, VisitSeries},
        },
        timer::Timer,
    };
    pub use crate::{
        operation::{
            Call, CallMeta, Failure, OutcomeFuture,
            in_place::{Branch, Entered, Fallible, FromResidual, Infallible, Returns},
            never_called, once,
        },
        trace::recorded::{
            ByDebug, ByOption, ByType, NeedsValue, Optional, Recordable, Recorded, Recording,
        },
    };
}

/// The pages in `docs/`, whose examples are compiled and run as tests.
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "reqwest-middleware",
    feature = "testing"
))]
mod pages {
    #[doc = include_str!("../../docs/export.md")]
    mod export {}
    #[doc = include_str!("../../docs/health.md")]
    mod health {}
    #[doc = include_str!("../../docs/http.md")]
    mod http {}
    #[doc = include_str!("../../docs/instrument.md")]
    mod instrument {}
    #[doc = include_str!("../../docs/logs.md")]
    mod logs {}
    #[doc = include_str!("../../docs/propagation.md")]
    mod propagation {}
    #[doc = include_str!("../../docs/testing.md")]
    mod testing {}
    #[doc = include_str!("../../docs/event-bus.md")]
    mod event_bus {}
    #[doc = include_str!("../../docs/runtime.md")]
    mod runtime {}
    #[doc = include_str!("../../docs/timers.md")]
    mod timers {}
}

/// The pages on parts of a service.
#[cfg(all(
    doctest,
    feature = "moka",
    feature = "sql",
    feature = "sqlx",
    feature = "tower-resilience"
))]
mod pages_of_parts {
    #[doc = include_str!("../../docs/cache.md")]
    mod cache {}
    #[doc = include_str!("../../docs/circuit-breaker.md")]
    mod circuit_breaker {}
    #[doc = include_str!("../../docs/database.md")]
    mod database {}
}
