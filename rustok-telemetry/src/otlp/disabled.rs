//! The transport of a protocol that is disabled at compile time: creating it fails.

use std::sync::Arc;

use super::{destination::Destination, sender::Transport};
use crate::InitError;

/// Fails. The configuration is refused before, with the name of the variable.
pub(super) fn transport(destination: &Destination<'_>) -> Result<Arc<dyn Transport>, InitError> {
    let protocol = destination.config.protocol.value;
    Err(InitError::pipeline(
        format!("OTLP by {protocol}"),
        "the protocol is disabled in this build",
    ))
}
