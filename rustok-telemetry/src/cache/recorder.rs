//! What a cache of any kind tells about itself.

use std::sync::Arc;

use super::operation::Operation;
use crate::metrics::{self, ObserverGuard, collection::current_hooks};

/// Records what a cache does, under its name. A clone is cheap.
///
/// ```
/// use rustok_telemetry::cache::Recorder;
///
/// let recorder = Recorder::new("tenant_cache");
/// let found = recorder.get(|| Some("acme")); // a hit
/// recorder.evicted("ttl");
/// # assert_eq!(found, Some("acme"));
/// ```
#[derive(Debug, Clone)]
pub struct CacheRecorder {
    cache: Arc<str>,
}

impl CacheRecorder {
    /// A recorder for the cache of this name, which becomes a label: there must be few.
    pub fn new(cache: impl Into<Arc<str>>) -> Self {
        Self {
            cache: cache.into(),
        }
    }

    /// The cache's name.
    pub fn name(&self) -> &str {
        &self.cache
    }

    /// Looks something up: a hit if there is something, else a miss. It is timed.
    pub fn get<V>(&self, look_up: impl FnOnce() -> Option<V>) -> Option<V> {
        self.operation("get", HIT).run(look_up, miss)
    }

    /// Looks something up in a cache that has to be waited for, such as one in another process. One that is given up
    /// is neither a hit nor a miss, but `cancelled`.
    ///
    /// ```
    /// # use rustok_telemetry::cache::Recorder;
    /// # async fn redis_get(key: &str) -> Option<String> { None }
    /// # async fn example(recorder: &Recorder) {
    /// let session = recorder.get_async(redis_get("session:42")).await;
    /// # }
    /// ```
    pub async fn get_async<V>(&self, look_up: impl Future<Output = Option<V>>) -> Option<V> {
        self.operation("get", HIT).run_async(look_up, miss).await
    }

    /// Loads something that was not in the cache: `ok` or `error`. It is timed.
    ///
    /// # Errors
    /// Those of `loading`.
    pub async fn load<V, E>(&self, loading: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        self.load_named(loading, |_| ERROR).await
    }

    /// Loads something that was not in the cache: `ok` or what `name` says of the error, such as `not_found`. There
    /// must be few names: together with all other results of all caches not more than ten.
    ///
    /// # Errors
    /// Those of `loading`.
    pub async fn load_named<V, E>(
        &self,
        loading: impl Future<Output = Result<V, E>>,
        name: impl FnOnce(&E) -> &'static str,
    ) -> Result<V, E> {
        let failure = |loaded: &Result<V, E>| loaded.as_ref().err().map(name);
        let operation = self.operation("load", OK);
        operation.run_async(loading, failure).await
    }

    /// Does something else with the cache, such as `insert` or `invalidate`: `ok`. It is timed.
    pub async fn run<T>(&self, operation: &'static str, work: impl Future<Output = T>) -> T {
        let operation = self.operation(operation, OK);
        operation.run_async(work, |_| None).await
    }

    /// A hit of a look-up that isn't timed.
    pub fn hit(&self) {
        metrics::record_cache_operation(&self.cache, "get", HIT);
    }

    /// A miss of a look-up that isn't timed.
    pub fn miss(&self) {
        metrics::record_cache_operation(&self.cache, "get", MISS);
    }

    /// An entry left the cache. There must be few reasons: `ttl`, `size`, `explicit`, `replaced`, …
    pub fn evicted(&self, reason: &'static str) {
        metrics::record_cache_eviction(&self.cache, reason);
    }

    /// Reads the number of entries before each collection, as long as the returned value lives. `None` says that the
    /// cache is gone, and that it need not be asked any more.
    ///
    /// Caches of the same name are added up. `read` runs on the thread that collects and must not block. What it owns
    /// lives as long as the [`ObserverGuard`]; a `Weak` keeps nothing alive:
    ///
    /// ```
    /// use std::{collections::HashMap, sync::{Arc, Mutex}};
    /// use rustok_telemetry::cache::Recorder;
    ///
    /// let prices: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
    /// let watched = Arc::downgrade(&prices);
    /// Recorder::new("prices")
    ///     .observe_size(move || Some(watched.upgrade()?.lock().ok()?.len() as u64))
    ///     .detach(); // until the cache is gone
    /// ```
    pub fn observe_size<S: Into<Option<u64>>>(
        &self,
        read: impl Fn() -> S + Send + Sync + 'static,
    ) -> ObserverGuard {
        let cache = Arc::clone(&self.cache);
        current_hooks()
            .sums
            .cache_sizes
            .observe(cache, move || Some([read().into()?]))
    }

    fn operation(&self, name: &'static str, result: &'static str) -> Operation {
        Operation {
            cache: Arc::clone(&self.cache),
            name,
            result,
        }
    }
}

const HIT: &str = "hit";
const MISS: &str = "miss";
const OK: &str = "ok";
const ERROR: &str = "error";

fn miss<V>(found: &Option<V>) -> Option<&'static str> {
    found.is_none().then_some(MISS)
}
