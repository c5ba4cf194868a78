//! Metrics of moka caches.

use std::{borrow::Borrow, fmt, hash::BuildHasher, hash::Hash, sync::Arc};

use moka::{
    future::{Cache, CacheBuilder},
    notification::RemovalCause,
};

use super::CacheRecorder;
use crate::metrics::ObserverGuard;

/// A `moka::future::Cache` that records its lookups, loads, evictions and size. Clones share the cache.
///
/// ```
/// use std::time::Duration;
/// use moka::future::Cache;
/// use rustok_telemetry::cache::Metered;
///
/// # async fn example() {
/// let names: Metered<u64, String> = Metered::build(
///     "names",
///     Cache::builder().max_capacity(1_000).time_to_live(Duration::from_secs(60)),
/// );
/// let name = names.get_with(&7, async { "Green tea".to_owned() }).await;
/// names.invalidate(&7).await;
/// # }
/// ```
///
/// # Hits, misses and loads
///
/// Both [`get`](Self::get) and [`get_with`](Self::get_with) record a hit or a miss. Concurrent callers that miss the
/// same key wait for one loader: each of them records a miss, but only the loader that runs records a `load` with its
/// duration and result. So `get` shows the latency of callers, and `load` the work of the source behind the cache.
///
/// The result of `load` is `cancelled` if the loader is dropped early, and `panic` if it panics. Then the loader of a
/// waiting caller runs, and records another `load`.
///
/// # Size
///
/// moka removes and counts entries during other operations, and in [`run_pending_tasks`](Cache::run_pending_tasks). If
/// the cache is idle for long, call it periodically: `names.inner().run_pending_tasks().await`.
pub struct Metered<K, V, S = std::hash::RandomState> {
    cache: Cache<K, V, S>,
    recorder: CacheRecorder,
    _size: Arc<ObserverGuard>,
}

impl<K, V> Metered<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Builds the cache with this name, and [counts its evictions](count_evictions).
    pub fn build(name: &str, builder: CacheBuilder<K, V, Cache<K, V>>) -> Self {
        let recorder = CacheRecorder::new(name);
        let cache = count_evictions(builder.name(name), &recorder).build();
        Self::new(recorder, cache)
    }
}

impl<K, V, S> Metered<K, V, S>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    S: BuildHasher + Clone + Send + Sync + 'static,
{
    /// Wraps a cache that is already built. Its evictions are counted only if [`count_evictions`] was applied to its
    /// builder.
    pub fn new(recorder: CacheRecorder, cache: Cache<K, V, S>) -> Self {
        let counted = cache.clone();
        let size = recorder.observe_size(move || counted.entry_count());
        Self {
            cache,
            recorder,
            _size: Arc::new(size),
        }
    }

    /// Returns the wrapped cache. Its operations are not recorded.
    pub fn inner(&self) -> &Cache<K, V, S> {
        &self.cache
    }

    /// Returns the value of a key.
    pub async fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.recorder.get_async(self.cache.get(key)).await
    }

    /// Returns the value of a key, and loads it if it is missing. The key is cloned only for a load.
    pub async fn get_with<Q>(&self, key: &Q, load: impl Future<Output = V>) -> V
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        match self.get(key).await {
            Some(value) => value,
            None => {
                let load = self.recorder.run("load", load);
                self.cache.get_with_by_ref(key, load).await
            }
        }
    }

    /// Returns the value of a key, and tries to load it if it is missing. The result of `load` is `ok` or `error`. The
    /// key is cloned only for a load.
    ///
    /// # Errors
    /// Returns the error of the loader, which is shared by callers that wait for it and is not cached.
    pub async fn try_get_with<Q, E>(
        &self,
        key: &Q,
        load: impl Future<Output = Result<V, E>>,
    ) -> Result<V, Arc<E>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        E: Send + Sync + 'static,
    {
        self.try_get_with_named(key, load, |_| "error").await
    }

    /// Returns the value of a key as [`try_get_with`](Self::try_get_with) does. `name` returns the result of a failed
    /// load, such as `not_found`. See [`CacheRecorder::load_named`].
    pub async fn try_get_with_named<Q, E>(
        &self,
        key: &Q,
        load: impl Future<Output = Result<V, E>>,
        name: impl FnOnce(&E) -> &'static str,
    ) -> Result<V, Arc<E>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
        E: Send + Sync + 'static,
    {
        match self.get(key).await {
            Some(value) => Ok(value),
            None => {
                let load = self.recorder.load_named(load, name);
                self.cache.try_get_with_by_ref(key, load).await
            }
        }
    }

    /// Inserts a value.
    pub async fn insert(&self, key: K, value: V) {
        let inserting = self.cache.insert(key, value);
        self.recorder.run("insert", inserting).await;
    }

    /// Removes a value.
    pub async fn invalidate<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let invalidating = self.cache.invalidate(key);
        self.recorder.run("invalidate", invalidating).await;
    }
}

/// Adds a listener that counts evictions by reason: `ttl` (expired or idle), `size`, `explicit` (invalidated) and
/// `replaced`. moka has a single listener, so this replaces any other one.
///
/// ```
/// use moka::future::Cache;
/// use rustok_telemetry::cache::{CacheRecorder, Metered, count_evictions};
///
/// let recorder = CacheRecorder::new("names");
/// let builder = count_evictions(Cache::builder().max_capacity(1_000), &recorder);
/// let cache: Cache<u64, String, _> = builder.build_with_hasher(std::hash::RandomState::new());
/// let names = Metered::new(recorder, cache);
/// ```
pub fn count_evictions<K, V, C>(
    builder: CacheBuilder<K, V, C>,
    recorder: &CacheRecorder,
) -> CacheBuilder<K, V, C> {
    let recorder = recorder.clone();
    builder.eviction_listener(move |_, _, cause| recorder.evicted(reason(cause)))
}

fn reason(cause: RemovalCause) -> &'static str {
    match cause {
        RemovalCause::Expired => "ttl",
        RemovalCause::Size => "size",
        RemovalCause::Explicit => "explicit",
        RemovalCause::Replaced => "replaced",
    }
}

impl<K, V, S> Clone for Metered<K, V, S> {
    fn clone(&self) -> Self {
        Self {
            cache: self.cache.clone(),
            recorder: self.recorder.clone(),
            _size: Arc::clone(&self._size),
        }
    }
}

impl<K, V, S> fmt::Debug for Metered<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metered")
            .field("recorder", &self.recorder)
            .finish_non_exhaustive()
    }
}
