//! What stands in for a protocol that is left out of this build.

use std::sync::Arc;

use opentelemetry_otlp::{LogExporter, SpanExporter};

use super::{destination::Destination, metrics::Transport};
use crate::InitError;

pub(super) fn spans(destination: &Destination<'_>) -> Result<SpanExporter, InitError> {
    refuse(destination)
}

pub(super) fn log_records(destination: &Destination<'_>) -> Result<LogExporter, InitError> {
    refuse(destination)
}

pub(super) fn metrics(destination: &Destination<'_>) -> Result<Arc<dyn Transport>, InitError> {
    refuse(destination)
}

/// The configuration says so before, with the variable's name.
fn refuse<T>(destination: &Destination<'_>) -> Result<T, InitError> {
    let protocol = *destination.config.protocol;
    Err(InitError::Pipeline(format!(
        "OTLP by {protocol}, which is left out of this build"
    )))
}
