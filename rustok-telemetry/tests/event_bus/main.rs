//! The event bus: what is counted on both sides of the queue, and whose trace it is.

mod outcomes;
mod queue;
#[path = "../instrument/spans.rs"]
mod spans;
#[path = "../support/mod.rs"]
mod support;
mod trace;

use rustok_telemetry::{ErrorType, event_bus::Panicked};

#[derive(Debug, PartialEq, ErrorType)]
enum Failure {
    NotFound,
    #[error_type(transparent)]
    Panicked(Panicked),
}

impl From<Panicked> for Failure {
    fn from(panicked: Panicked) -> Self {
        Self::Panicked(panicked)
    }
}
