//! OpenTelemetry-native instrumentation for Rust services.
//!
//! The crate sets up the OpenTelemetry SDK and a `tracing` subscriber from the standard `OTEL_*` variables, exports
//! traces, metrics and log records by OTLP, and serves the metrics as Prometheus text. Metrics are declared as function
//! signatures and have exactly the declared names, in the Prometheus text and behind an OpenTelemetry Collector. Every
//! span of `tracing` is counted and timed before sampling.
//!
//! Recorded values are kept in this crate's atomics, and read at each collection. Where a reader, an exporter or a view
//! of OpenTelemetry's SDK is added ([`Builder::with_metric_reader`]), or the service has
//! [providers of its own](Builder::with_providers), they go through OpenTelemetry meters instead.
//!
//! ```no_run
//! use rustok_telemetry::{ErrorType, instrument};
//!
//! // Declares `shop_orders_total{payment, tenant_id}`.
//! #[rustok_telemetry::metrics(namespace = "shop")]
//! mod shop {
//!     /// Orders placed.
//!     #[counter(name = "orders_total")]
//!     pub fn record_order(payment: &str, #[label(budget = 500)] tenant_id: &str);
//! }
//!
//! #[derive(Debug, ErrorType)]
//! enum OrderError {
//!     OutOfStock,
//! }
//!
//! // Each call is a span; its outcome and duration are counted.
//! #[instrument(name = "orders.place", record(quantity), tenant_id = tenant)]
//! fn place_order(tenant: &str, quantity: u32) -> Result<(), OrderError> {
//!     if quantity > 10 {
//!         return Err(OrderError::OutOfStock);
//!     }
//!     shop::record_order("card", tenant);
//!     Ok(())
//! }
//!
//! fn main() -> Result<(), rustok_telemetry::InitError> {
//!     let telemetry = rustok_telemetry::init()?; // reads OTEL_*
//!     let _ = place_order("acme", 1);
//!     eprintln!("{}", telemetry.shutdown()); // exports everything and reports what failed
//!     Ok(())
//! }
//! ```
//!
//! # Modules
//!
//! In the order in which a new service needs them:
//!
//! 1. [`init()`] and [`builder()`] start telemetry and return its guard [`Telemetry`]; [`config`] documents the
//!    `OTEL_*` variables. [`Builder`] also accepts components and providers of OpenTelemetry's SDK. The program `rustok-telemetry-doctor` shows the effective configuration and tests the
//!    exporters.
//! 2. [`mod@metrics`] has the metrics of every service, and the macro [`metrics`](macro@metrics) declares more.
//! 3. [`instrument`] makes spans of functions; [`trace`] documents the span metrics.
//! 4. [`http`] has the layer for servers, the middleware for clients and the health routes; `grpc` has the layers for
//!    servers and clients of gRPC.
//! 5. [`tenant`], [`propagation`] and [`task`] carry tenant and context through requests, events and background work.
//! 6. [`event_bus`], [`database`], [`cache`], [`circuit_breaker`] and [`runtime`] instrument the parts of a service.
//! 7. [`LogFormat`], [`Telemetry::log_layer`] and [`Telemetry::log_export_layer`] are for log lines and OTLP log
//!    records.
//! 8. [`health()`] reports the health of telemetry itself.
//! 9. `console` is a page that the service serves itself.
//! 10. `testing` captures telemetry in tests.
//!
//! # Cargo features
//!
//! The features `http` and `tls` are enabled by default. A setting that needs a disabled feature is an error that
//! names the feature.
//!
//! | feature | enables |
//! |---|---|
//! | `http`, `grpc` | OTLP over HTTP and over gRPC; at least one is required |
//! | `tls` | `https://` endpoints, certificates and mTLS, with rustls and `ring` |
//! | `zstd` | the compression `zstd`, a C library; `gzip` is always enabled |
//! | `axum` | route templates in the HTTP layer, and the health routes as a router |
//! | `b3`, `jaeger` | the propagators `b3`, `b3multi` and `jaeger` |
//! | `console` | `console`, a page with the metrics, traces and log lines of the last minutes, served by the service itself |
//! | `config-file` | `OTEL_CONFIG_FILE`, OpenTelemetry's declarative configuration in YAML |
//! | `metrics-facade` | `Builder::with_metrics_facade`, which records the metrics of the `metrics` crate |
//! | `moka` | `cache::Metered`, an instrumented moka cache |
//! | `process` | process metrics with the names of the Prometheus client libraries, such as `process_cpu_seconds_total`; read from `/proc`, so absent on systems other than Linux |
//! | `prometheus-bridge` | `Builder::with_prometheus_registry`, which adds the metrics of registries of the `prometheus` crate |
//! | `reqwest-middleware` | `http::client`, the middleware for HTTP clients |
//! | `serde` | serialization of [`EventContext`](propagation::EventContext) and [`Health`] |
//! | `spool` | `RUSTOK_TELEMETRY_SPOOL_DIR`, a spool on disk for spans and log records |
//! | `sql` | `database::record_statement`, which derives the type and the table of a query from its statement |
//! | `sqlx` | pools of sqlx whose queries are measured, and error types of sqlx |
//! | `testing` | the module `testing`; for `[dev-dependencies]` |
//! | `tonic` | `grpc`, the layers for tonic's servers and clients; not to be confused with `grpc`, the OTLP protocol |
//! | `tower-resilience` | `circuit_breaker::observe`, for the breakers of `tower-resilience-circuitbreaker` |

extern crate self as rustok_telemetry;

mod access;
mod attributes;
pub mod cache;
pub mod circuit_breaker;
pub mod config;
#[cfg(feature = "console")]
pub mod console;
pub mod database;
mod delivery;
mod error;
mod error_type;
pub mod event_bus;
#[cfg(feature = "tonic")]
pub mod grpc;
pub mod health;
pub mod http;
mod lifecycle;
mod lock;
mod logging;
pub mod metrics;
mod operation;
mod otlp;
mod prometheus;
pub mod propagation;
mod request;
mod start;
mod stdout;
pub mod task;
pub mod tenant;
#[cfg(feature = "testing")]
pub mod testing;
pub mod trace;
mod wire;

pub use rustok_telemetry_macros::{ErrorType, LabelValue, instrument, metrics};

pub use self::{
    error::InitError,
    error_type::ErrorType,
    health::{Health, health},
    lifecycle::{LostRecords, Stage, lost_records},
    logging::LogFormat,
    metrics::{catalog::tokio_runtime as runtime, label_value::LabelValue},
    prometheus::text::{PrometheusText, TextError, prometheus_text, prometheus_text_for},
    start::{
        existing::text_reader,
        init::{Builder, builder, init, init_as},
        report::{FlushReport, ShutdownReport},
        shutdown::{DEFAULT_SHUTDOWN_TIMEOUT, Telemetry},
    },
};

/// Used by the expansions of the macros. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use {linkme, tracing};

    pub use crate::config::variables::{SECTIONS, Section, Status, Variable, find_variable};
    pub use crate::error_type::{ErrorName, NamedFailure, NoFailure, Returned, TypedFailure};
    pub use crate::metrics::{
        Declaration, Kind, Label, ValueType, assert_boundaries,
        instrument::{
            Counter, Gauge, Histogram, Instrument, Measured, Storage, Stored, UpDownCounter,
        },
        label_value::LabelValue,
        metric::Metric,
        naming::prefix_problems,
        observable::{
            Observable, ObservableCounter, ObservableGauge, ObservableInstrument, Observe, Read,
        },
        registered::{ALL as CATALOGUE, InstallContext, Readable, RegisteredMetric, ViewOutcome},
        store::{
            buckets::Buckets,
            cell::{Last, Number, Sum},
            distribution::{Distribution, NumberValue},
            exemplars::{Exemplar, Exemplars, SpanIds},
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
    #[doc = include_str!("../../docs/exemplars.md")]
    mod exemplars {}
    #[doc = include_str!("../../docs/existing-setup.md")]
    mod existing_setup {}
    #[doc = include_str!("../../docs/export.md")]
    mod export {}
    #[doc = include_str!("../../docs/extend.md")]
    mod extend {}
    #[doc = include_str!("../../docs/health.md")]
    mod health {}
    #[doc = include_str!("../../docs/http.md")]
    mod http {}
    #[doc = include_str!("../../docs/instrument.md")]
    mod instrument {}
    #[doc = include_str!("../../docs/names.md")]
    mod names {}
    #[doc = include_str!("../../docs/own-metrics.md")]
    mod own_metrics {}
    #[doc = include_str!("../../docs/start.md")]
    mod start {}
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

/// The pages in `docs/guide/`.
#[cfg(all(doctest, feature = "console", feature = "testing"))]
mod pages_of_the_guide {
    #[doc = include_str!("../../docs/guide/deploy.md")]
    mod deploy {}
    #[doc = include_str!("../../docs/guide/frameworks.md")]
    mod frameworks {}
    #[doc = include_str!("../../docs/guide/getting-started.md")]
    mod getting_started {}
    #[doc = include_str!("../../docs/guide/migrate.md")]
    mod migrate {}
    #[doc = include_str!("../../docs/guide/tenants.md")]
    mod tenants {}
}

/// The page on gRPC.
#[cfg(all(doctest, feature = "axum", feature = "tonic"))]
mod page_of_grpc {
    #[doc = include_str!("../../docs/grpc.md")]
    mod grpc {}
}

/// The page on other metric libraries.
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "metrics-facade",
    feature = "prometheus-bridge"
))]
mod page_of_other_libraries {
    #[doc = include_str!("../../docs/other-metric-libraries.md")]
    mod other_metric_libraries {}
}

/// The page on the console.
#[cfg(all(doctest, feature = "console"))]
mod page_of_console {
    #[doc = include_str!("../../docs/console.md")]
    mod console {}
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
