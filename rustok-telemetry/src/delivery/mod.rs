//! What became of the telemetry on its way out: exported, failed, or dropped because a queue was full.
//!
//! The exporters are wrapped (`reporting.rs`) and report every attempt to the account (`account.rs`, `queue.rs`). The
//! [self metrics](crate::self_metrics) and the [shutdown report](crate::ShutdownReport) read it; `announce.rs` tells
//! the person at the terminal, once. `detail.rs` keeps what the exporters would not tell.

mod account;
mod announce;
mod detail;
mod failure;
mod queue;
mod reporting;

pub(crate) use self::{
    account::{DELIVERY, SignalAccount},
    detail::{Rejection, note as note_rejection},
    failure::LastFailure,
    queue::{QueueAccount, Verdict},
    reporting::Reporting,
};
