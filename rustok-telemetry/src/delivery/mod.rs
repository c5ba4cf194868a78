//! What became of the telemetry on its way out: exported, failed, or dropped because a queue was full.
//!
//! The exporters (`otlp/sender.rs`) report what became of each export (`outcome.rs`) to the account (`account.rs`,
//! `queue.rs`). The [self metrics](crate::self_metrics) and the [shutdown report](crate::ShutdownReport) read it;
//! `announce.rs` tells the person at the terminal, once.

mod account;
mod announce;
mod failure;
mod outcome;
mod queue;

pub(crate) use self::{
    account::{DELIVERY, SignalAccount},
    failure::LastFailure,
    outcome::{Outcome, Rejection},
    queue::{QueueAccount, Verdict},
};
