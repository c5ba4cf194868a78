//! The console: what it keeps and shows, to whom, and within which memory.
#![cfg(feature = "console")]
#![expect(
    clippy::disallowed_methods,
    reason = "meters as other libraries have them"
)]

mod capture;
mod follow;
mod guard;
mod hostile;
mod interface;
mod memory;
mod own_requests;
mod page;
mod series;
mod service;
#[path = "../support/mod.rs"]
mod support;
