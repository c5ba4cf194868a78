//! What stands in for a protocol that is left out of this build.

use std::sync::Arc;

use super::{destination::Destination, sender::Transport};
use crate::InitError;

/// The configuration says so before, with the variable's name.
pub(super) fn transport(destination: &Destination<'_>) -> Result<Arc<dyn Transport>, InitError> {
    let protocol = *destination.config.protocol;
    Err(InitError::Pipeline(format!(
        "OTLP by {protocol}, which is left out of this build"
    )))
}
