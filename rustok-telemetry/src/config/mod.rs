//! Parsed, typed settings, from the environment and from code.
//!
//! Every `OTEL_*` variable of the OpenTelemetry specification is either honoured or refused by name; none is ignored
//! silently, and an invalid value is an error. One [`ConfigError`] has all diagnostics. With
//! `RUSTOK_TELEMETRY_STRICT=false` each is one warning instead, and the variable is ignored.
//!
//! Each setting has the [`Source`] of its value. Precedence, lowest first:
//!
//! 1. the default of the specification,
//! 2. the environment: a signal's own variable wins over the general one; or, in its place, the file that
//!    `OTEL_CONFIG_FILE` names (feature `config-file`),
//! 3. code, with [`Setting::set`].
//!
//! ```
//! use rustok_telemetry::config::{Sampler, Source, TelemetryConfig};
//!
//! let config = TelemetryConfig::from_vars([
//!     ("OTEL_TRACES_SAMPLER", "traceidratio"),
//!     ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
//! ])?;
//! assert_eq!(config.traces.sampler.value, Sampler::TraceIdRatio(0.1));
//! assert_eq!(config.metrics.interval.source, Source::Default);
//! # Ok::<(), rustok_telemetry::config::ConfigError>(())
//! ```
//!
//! `telemetry.rs`, `traces.rs`, `metrics.rs`, `logs.rs`, `otlp.rs` and others declare the settings; `visitor.rs` is the
//! pass over them; `rules.rs` parses values; `variables/` is the table of names; `env.rs` is the only reader of the
//! environment; `file/` reads a configuration file.

mod access;
mod batch;
mod choice;
mod endpoint;
mod env;
mod error;
#[cfg(feature = "config-file")]
mod file;
mod headers;
mod limits;
mod list;
mod log_filter;
mod logs;
mod metrics;
mod otlp;
mod propagator;
mod protocol;
#[cfg(any(feature = "config-file", feature = "tls"))]
mod regular_file;
mod report;
mod rules;
mod sampler;
mod setting;
mod spool;
mod telemetry;
mod tls;
#[cfg(feature = "tls")]
pub(crate) mod tls_files;
mod traces;
pub(crate) mod variables;
mod views;
mod visitor;
mod warnings;

use choice::{choice, disabled};
use env::Reader;
use rules::{LARGEST, Rules, integer, timeout};
use variables::{mask_url, one_line, table_name};
use visitor::{Mode, Visitor, settings};

pub use access::{AccessConfig, Network, NetworkError, Token};
pub use batch::BatchConfig;
pub use endpoint::{Endpoint, EndpointError};
pub(crate) use error::debug_is_display;
pub use error::{ConfigError, Diagnostic};
pub use headers::{HeaderError, Headers};
pub use limits::{LogLimitsConfig, SpanLimitsConfig};
pub use list::{ListError, ListProblem, parse_pairs};
pub use log_filter::LogLevel;
pub use logs::{LogsConfig, LogsExporter};
pub use metrics::{
    ExemplarFilter, MetricsConfig, MetricsExporter, PrometheusConfig, TemporalityPreference,
};
pub use otlp::{OtlpConfig, Signal};
pub use propagator::Propagator;
pub use protocol::{Compression, Protocol};
pub use report::{Report, ReportLine};
pub use sampler::Sampler;
pub use setting::{Setting, Source};
pub use spool::SpoolConfig;
pub use telemetry::{ConfigFile, TelemetryConfig};
#[cfg(not(feature = "tls"))]
pub(crate) use tls::TLS_DISABLED;
pub use tls::TlsConfig;
pub use traces::{TracesConfig, TracesExporter};
pub use views::{View, ViewAggregation};
