//! What became of the telemetry on its way out: exported, failed, or dropped because a queue was full.
//!
//! The exporters (`otlp/sender.rs`) report what became of each export (`outcome.rs`) to the account (`account.rs`,
//! `queue.rs`). The [self metrics](crate::metrics::catalog::telemetry) and the [shutdown report](crate::ShutdownReport) read it;
//! `announce.rs` tells the person at the terminal, once.

mod announce;
mod failure;
mod outcome;
mod queue_stats;
mod signal_stats;

pub(crate) use self::{
    failure::LastFailure,
    outcome::{ExportOutcome, RejectedItems},
    queue_stats::{Admission, QueueStats},
    signal_stats::{DELIVERY, SignalStats},
};
