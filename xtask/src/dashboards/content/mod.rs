//! The content of each dashboard.

pub(super) mod advanced;
mod http;
pub(super) mod overview;
pub(super) mod slo;
pub(super) mod telemetry;
pub(super) mod traces;
