//! Metrics of caches: lookups, loads, evictions and size.
//!
//! A [`CacheRecorder`] records the operations of any cache:
//!
//! ```
//! use std::{collections::HashMap, sync::Mutex};
//! use rustok_telemetry::cache::CacheRecorder;
//!
//! struct Prices { by_sku: Mutex<HashMap<String, u64>>, recorder: CacheRecorder }
//!
//! impl Prices {
//!     fn of(&self, sku: &str) -> Option<u64> {
//!         // Records a hit or a miss, and the duration.
//!         self.recorder.get(|| self.by_sku.lock().ok()?.get(sku).copied())
//!     }
//! }
//! # let prices = Prices { by_sku: Mutex::default(), recorder: CacheRecorder::new("prices") };
//! # assert_eq!(prices.of("TEA"), None);
//! ```
//!
//! With the Cargo feature `moka`, `cache::Metered` is a `moka::future::Cache` that records itself.
//!
//! # What is recorded
//!
//! - `rustok_cache_operations_total{cache,operation,result}`: the result of `get` is `hit` or `miss`, that of `load` is
//!   `ok` or the error, and that of `insert` and `invalidate` is `ok`. It is `cancelled` if the future is dropped
//!   early, and `panic` after a panic.
//! - `rustok_cache_operation_duration_seconds{cache,operation}`: timed operations, with any outcome.
//! - `rustok_cache_hit_rate{cache}`: hits divided by hits and misses.
//! - `rustok_cache_evictions_total{cache,reason}`.
//! - `rustok_cache_size{cache}`: the number of entries at each collection.
//!
//! Keys and values are never recorded.

#[cfg(feature = "moka")]
mod moka;
mod operation;
mod recorder;

pub use self::recorder::CacheRecorder;

#[cfg(feature = "moka")]
pub use self::moka::{Metered, count_evictions};
