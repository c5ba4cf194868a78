//! The transport of a protocol that is disabled at compile time.

use std::sync::Arc;

use super::{sender::Transport, target::ExportTarget};
use crate::InitError;

/// Always fails. The configuration rejects the protocol before, with the name of the variable.
pub(super) fn transport(target: &ExportTarget<'_>) -> Result<Arc<dyn Transport>, InitError> {
    let protocol = target.config.protocol.value;
    Err(InitError::pipeline(
        format!("OTLP by {protocol}"),
        "the protocol is disabled in this build",
    ))
}
