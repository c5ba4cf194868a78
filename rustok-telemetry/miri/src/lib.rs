//! The modules of `rustok-telemetry` with `unsafe` code, and their tests, without the crates that Miri cannot run.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the tests need a part, and nothing is for other crates"
)]

mod trace;
