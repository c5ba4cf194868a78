//! The lock-free parts of `rustok-telemetry`, compiled on loom's primitives.
//!
//! [loom](https://docs.rs/loom) runs a test in every order in which the steps of its threads can happen, and with every
//! value that a load may return under the memory model.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "only what the models need is called, and nothing is for other crates"
)]

#[path = "../../src/metrics/buckets.rs"]
mod buckets;
#[path = "../../src/metrics/cell.rs"]
mod cell;
#[path = "../../src/metrics/distribution.rs"]
mod distribution;
#[path = "../../src/metrics/histogram_cell.rs"]
mod histogram_cell;
pub mod models;
#[path = "../../src/metrics/read_table.rs"]
mod read_table;
mod sync;
