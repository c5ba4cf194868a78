//! The console of a service, as its users see it: in a real browser.

#![allow(
    clippy::print_stdout,
    reason = "the tests show the figures that they saw"
)]

mod browser;
mod hostile_text;
mod scratch;
mod service;
mod visit;
