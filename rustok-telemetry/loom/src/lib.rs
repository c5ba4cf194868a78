//! The lock-free parts of `rustok-telemetry`, compiled on loom's primitives.
//!
//! [loom](https://docs.rs/loom) runs a test in every order in which the steps of its threads can happen, and with every
//! value that a load may return under the memory model.
//!
//! | structure in `rustok-telemetry/src` | what the models show |
//! |---|---|
//! | `metrics/store/read_table.rs` | an entry is found whole or not at all, also while the table grows, within its limit |
//! | `metrics/store/cell.rs` | no addition is lost, and no reader sees a sum that falls |
//! | `metrics/store/histogram_cell.rs` | no value is lost from its bucket, the sum and the extremes |
//! | `metrics/store/exemplars.rs` | no exemplar mixes two writes, and writers do not wait |
//! | `delivery/queue_stats.rs` | the queue keeps its limits, counts every item, and wakes the exporting thread for a full batch |
//!
//! The channel of `otlp/batches.rs` is the standard library's. `metrics/store/series.rs`, `metrics/sliding.rs` and
//! `trace/callsites.rs` are a table of the first line with a lock around new entries, or with entries of equal worth.
//! `circuit_breaker/recorder.rs` sets its gauges again before each collection. Other atomics are counters and flags that no
//! reader relates to each other.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "only what the models need is called, and nothing is for other crates"
)]

#[path = "../../src/metrics/store/buckets.rs"]
mod buckets;
#[path = "../../src/metrics/store/cell.rs"]
mod cell;
mod delivery;
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
