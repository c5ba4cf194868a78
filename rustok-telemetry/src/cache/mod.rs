//! Look-ups, loads, evictions and the size of a cache.
//!
//! A [`CacheRecorder`] records what a cache of any kind does:
//!
//! ```
//! use std::{collections::HashMap, sync::Mutex};
//! use rustok_telemetry::cache::Recorder;
//!
//! struct Prices { by_sku: Mutex<HashMap<String, u64>>, recorder: Recorder }
//!
//! impl Prices {
//!     fn of(&self, sku: &str) -> Option<u64> {
//!         // A hit or a miss, and how long it took to know.
//!         self.recorder.get(|| self.by_sku.lock().ok()?.get(sku).copied())
//!     }
//! }
//! # let prices = Prices { by_sku: Mutex::default(), recorder: Recorder::new("prices") };
//! # assert_eq!(prices.of("TEA"), None);
//! ```
//!
//! With the feature `moka`, `cache::Metered` is a `moka::future::Cache` that does so by itself.
//!
//! # What is recorded
//!
//! - `rustok_cache_operations_total{cache,operation,result}`: `get` has the result `hit` or `miss`, a `load` has `ok`
//!   or what it failed with, `insert` and `invalidate` have `ok`. An operation whose future is dropped has
//!   `cancelled`, one that panics `panic`.
//! - `rustok_cache_operation_duration_seconds{cache,operation}`, for each operation that is timed, however it ended.
//! - `rustok_cache_hit_rate{cache}`, derived from hits and misses; other results don't count.
//! - `rustok_cache_evictions_total{cache,reason}`.
//! - `rustok_cache_size{cache}`, read at each collection.
//!
//! Keys and values are recorded nowhere.

#[cfg(feature = "moka")]
mod moka;
mod operation;
mod recorder;

pub use self::recorder::CacheRecorder;

#[cfg(feature = "moka")]
pub use self::moka::{Metered, count_evictions};
