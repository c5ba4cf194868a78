//! The recorder for any cache.

use std::sync::Arc;

use super::operation::Operation;
use crate::metrics::{
    self, ObserverGuard,
    collection::{current_hooks, registered_at},
};

/// Records the operations of a cache. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct CacheRecorder {
    cache: Arc<str>,
}

impl CacheRecorder {
    /// Creates a recorder for the cache with this name. The name is a label: use few.
    pub fn new(cache: impl Into<Arc<str>>) -> Self {
        Self {
            cache: cache.into(),
        }
    }

    /// Returns the name of the cache.
    pub fn name(&self) -> &str {
        &self.cache
    }

    /// Runs and times a lookup, and records a hit or a miss.
    pub fn get<V>(&self, lookup: impl FnOnce() -> Option<V>) -> Option<V> {
        self.begin("get", HIT).run(lookup, miss)
    }

    /// Runs and times an asynchronous lookup, for example in a remote cache, and records a hit or a miss. If the future
    /// is dropped early, the result is `cancelled`.
    pub async fn get_async<V>(&self, lookup: impl Future<Output = Option<V>>) -> Option<V> {
        self.begin("get", HIT).run_async(lookup, miss).await
    }

    /// Runs and times the load of a missing value, and records `ok` or `error`.
    pub async fn load<V, E>(&self, loading: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        self.load_named(loading, |_| ERROR).await
    }

    /// Runs and times the load of a missing value, and records `ok` or the result that `name` returns for the error,
    /// such as `not_found`. All caches together may have at most ten different results.
    pub async fn load_named<V, E>(
        &self,
        loading: impl Future<Output = Result<V, E>>,
        name: impl FnOnce(&E) -> &'static str,
    ) -> Result<V, E> {
        let failure = |loaded: &Result<V, E>| loaded.as_ref().err().map(name);
        self.begin("load", OK).run_async(loading, failure).await
    }

    /// Runs and times another operation, such as `insert` or `invalidate`, and records `ok`.
    pub async fn run<T>(&self, operation: &'static str, work: impl Future<Output = T>) -> T {
        self.begin(operation, OK).run_async(work, |_| None).await
    }

    /// Records a hit without a duration.
    pub fn hit(&self) {
        metrics::record_cache_operation(&self.cache, "get", HIT);
    }

    /// Records a miss without a duration.
    pub fn miss(&self) {
        metrics::record_cache_operation(&self.cache, "get", MISS);
    }

    /// Records an eviction. The reason is a label: `ttl`, `size`, `explicit`, `replaced`, …
    pub fn evicted(&self, reason: &'static str) {
        metrics::record_cache_eviction(&self.cache, reason);
    }

    /// Registers a callback that returns the number of entries before each collection, or `None` once the cache is
    /// gone, which unregisters the callback.
    ///
    /// The gauge is the sum of all caches with the same name. `read` must not block: while it does, the cache counts with
    /// its last number, as described at [`before_collection`](crate::metrics::before_collection). Dropping the returned [`ObserverGuard`] unregisters the callback and drops what it owns. A `Weak` does not keep
    /// the cache alive:
    ///
    /// ```
    /// use std::{collections::HashMap, sync::{Arc, Mutex}};
    /// use rustok_telemetry::cache::CacheRecorder;
    ///
    /// let prices: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
    /// let watched = Arc::downgrade(&prices);
    /// CacheRecorder::new("prices")
    ///     .observe_size(move || Some(watched.upgrade()?.lock().ok()?.len() as u64))
    ///     .detach(); // until the cache is gone
    /// ```
    #[track_caller]
    pub fn observe_size<S: Into<Option<u64>>>(
        &self,
        read: impl Fn() -> S + Send + Sync + 'static,
    ) -> ObserverGuard {
        let cache = Arc::clone(&self.cache);
        let name = registered_at(&format!("observe_size of {cache}"));
        let sizes = &current_hooks().sums.cache_sizes;
        sizes.observe(cache, name, move || Some([read().into()?]))
    }

    fn begin(&self, name: &'static str, result: &'static str) -> Operation {
        Operation::begin(&self.cache, name, result)
    }
}

const HIT: &str = "hit";
const MISS: &str = "miss";
const OK: &str = "ok";
const ERROR: &str = "error";

fn miss<V>(found: &Option<V>) -> Option<&'static str> {
    found.is_none().then_some(MISS)
}
