//! moka's cache, metered.

use std::{borrow::Borrow, fmt, hash::BuildHasher, hash::Hash, sync::Arc};

use moka::{
    future::{Cache, CacheBuilder},
    notification::RemovalCause,
};

use super::CacheRecorder;
use crate::metrics::ObserverGuard;

/// A `moka::future::Cache` that records its look-ups, loads, evictions and size. Clones share the cache.
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
/// A look-up that finds something is a hit, any other a miss, [`get`](Self::get) and
/// [`get_with`](Self::get_with) alike. moka lets callers that miss together wait for one loader. Each of them is a
/// miss, since each had to wait; but the `load`, its duration and its result are recorded once, by the loader that
/// ran. So `get` tells what callers meet, `load` what the source behind the cache has to do.
///
/// A loader that is dropped is a load with the result `cancelled`, one that panics `panic`; if others wait, the loader
/// of one of them runs next, and is a load of its own.
///
/// # Size
///
/// moka removes entries and counts them when it is used, and when [`run_pending_tasks`](Cache::run_pending_tasks) is
/// called. A service with quiet times calls that once in a while: `names.inner().run_pending_tasks().await`.
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
    /// Builds the cache, with `name` as its name, and [counts its evictions](count_evictions).
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
    /// Meters a cache that has been built already. Its evictions are counted only if
    /// [its builder was told so](count_evictions).
    pub fn new(recorder: CacheRecorder, cache: Cache<K, V, S>) -> Self {
        let counted = cache.clone();
        let size = recorder.observe_size(move || counted.entry_count());
        Self {
            cache,
            recorder,
            _size: Arc::new(size),
        }
    }

    /// The cache itself, for what isn't metered.
    pub fn inner(&self) -> &Cache<K, V, S> {
        &self.cache
    }

    /// Looks a value up.
    pub async fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.recorder.get_async(self.cache.get(key)).await
    }

    /// Looks a value up, and loads it if it isn't there. The key is cloned only then.
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

    /// Looks a value up, and tries to load it if it isn't there: the load has the result `ok` or `error`. The key is
    /// cloned only then.
    ///
    /// # Errors
    /// The loader's. Callers that wait for the same load share its error, and nothing is cached.
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

    /// The same, and `name` says what the result is of a load that failed, such as `not_found`. There must be few
    /// names, see [`CacheRecorder::load_named`].
    ///
    /// # Errors
    /// The loader's. Callers that wait for the same load share its error, and nothing is cached.
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

    /// Puts a value in.
    pub async fn insert(&self, key: K, value: V) {
        let inserting = self.cache.insert(key, value);
        self.recorder.run("insert", inserting).await;
    }

    /// Takes a value out.
    pub async fn invalidate<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let invalidating = self.cache.invalidate(key);
        self.recorder.run("invalidate", invalidating).await;
    }
}

/// Lets a cache count its evictions by reason: `ttl` (too old, or idle for too long), `size`, `explicit`
/// (invalidated) and `replaced`. moka has room for one listener; one that the builder had is replaced.
///
/// ```
/// use moka::future::Cache;
/// use rustok_telemetry::cache::{Metered, Recorder, count_evictions};
///
/// let recorder = Recorder::new("names");
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
