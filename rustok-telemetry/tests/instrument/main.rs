//! `#[instrument]`: each call is a span with one outcome.

mod error_types;
mod export;
mod functions;
mod options;
mod outcomes;
mod panics;
mod recorded;
mod spans;
mod status;
#[path = "../support/mod.rs"]
mod support;
mod track_caller;

use rustok_telemetry::ErrorType;

mod metric_names {
    pub(crate) const CREATED: &str = "rustok_spans_created_total";
    pub(crate) const CLOSED: &str = "rustok_span_duration_seconds_count";
    pub(crate) const ERRORS: &str = "rustok_spans_with_errors_total";
    pub(crate) const CANCELLED: &str = "rustok_spans_cancelled_total";
    pub(crate) const MODULE_ERRORS: &str = "rustok_module_errors_total";
}

#[derive(Debug, ErrorType)]
enum Failure {
    NotFound,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nothing there")
    }
}

/// As many crates have it.
type Result<T, E = Failure> = std::result::Result<T, E>;
