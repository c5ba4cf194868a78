//! The lock-free parts of `rustok-telemetry`, compiled on loom's primitives.
//!
//! [loom](https://docs.rs/loom) runs a test in every order in which the steps of its threads can happen, and with every
//! value that a load may return under the memory model.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "only what the models need is called, and nothing is for other crates"
)]

#[path = "../../src/metrics/store/buckets.rs"]
mod buckets;
#[path = "../../src/metrics/store/cell.rs"]
mod cell;
#[path = "../../src/metrics/store/distribution.rs"]
mod distribution;
#[path = "../../src/metrics/store/exemplars.rs"]
mod exemplars;
#[path = "../../src/metrics/store/histogram_cell.rs"]
mod histogram_cell;
pub mod models;
#[path = "../../src/metrics/store/read_table.rs"]
mod read_table;
mod sync;
