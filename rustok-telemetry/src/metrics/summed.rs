//! Gauges whose value is read before each collection, and added up from several sources: the pools of a service, or
//! the parts of a cache.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError},
};

use super::before_collection;

/// Keeps a value being read before each collection; dropping it ends that.
///
/// ```
/// use rustok_telemetry::cache;
///
/// let tenants = cache::Recorder::new("tenant_cache");
/// let reading = tenants.observe_size(|| 42);
/// // The next collections have `rustok_cache_size{cache="tenant_cache"} 42`.
/// drop(reading); // And the ones after it have 0.
/// ```
#[must_use = "the value is read no more as soon as this is dropped"]
pub struct Reading {
    id: u64,
    of: &'static dyn Forget,
}

impl Reading {
    /// Lets the value be read until the process ends, or until its source says that it is gone.
    pub fn forever(self) {
        mem::forget(self);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.of.forget(self.id);
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

/// `N` gauges for each key, such as the active and the idle connections, or the size of each cache.
pub(crate) struct Summed<const N: usize> {
    report: fn(&str, [u64; N]),
    sources: Mutex<Sources<N>>,
    hooked: Once,
}

struct Sources<const N: usize> {
    next: u64,
    living: BTreeMap<u64, Source<N>>,
    /// Keys of the last collection. One that has no source any more is 0, once.
    reported: BTreeSet<Arc<str>>,
}

#[derive(Clone)]
struct Source<const N: usize> {
    key: Arc<str>,
    read: Arc<Read<N>>,
}

/// Reads the present values, or says that there will be none any more.
type Read<const N: usize> = dyn Fn() -> Option<[u64; N]> + Send + Sync;

impl<const N: usize> Summed<N> {
    /// Gauges that `report` sets.
    pub(crate) const fn new(report: fn(&str, [u64; N])) -> Self {
        Self {
            report,
            sources: Mutex::new(Sources {
                next: 0,
                living: BTreeMap::new(),
                reported: BTreeSet::new(),
            }),
            hooked: Once::new(),
        }
    }

    /// Adds what `read` reads to the sum of `key`.
    pub(crate) fn observe(
        &'static self,
        key: Arc<str>,
        read: impl Fn() -> Option<[u64; N]> + Send + Sync + 'static,
    ) -> Reading {
        self.hooked
            .call_once(|| before_collection(|| self.collect()).forever());
        let mut sources = self.lock();
        let id = sources.next;
        sources.next += 1;
        let read = Arc::new(read);
        sources.living.insert(id, Source { key, read });
        Reading { id, of: self }
    }

    fn collect(&self) {
        // Not under the lock: a source may end itself or add another.
        let (living, reported) = {
            let mut sources = self.lock();
            (sources.living.clone(), mem::take(&mut sources.reported))
        };
        let mut sums: BTreeMap<_, _> = reported.into_iter().map(|key| (key, [0; N])).collect();
        for (id, source) in &living {
            match catch_unwind(AssertUnwindSafe(|| (source.read)())) {
                Ok(Some(values)) => add(sums.entry(source.key.clone()).or_insert([0; N]), values),
                Ok(None) => self.forget(*id),
                Err(_) => crate::self_metrics::observation_panicked(),
            }
        }
        for (key, sum) in sums {
            (self.report)(&key, sum);
            if living.values().any(|source| source.key == key) {
                self.lock().reported.insert(key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sources<N>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

trait Forget: Send + Sync {
    fn forget(&self, id: u64);
}

impl<const N: usize> Forget for Summed<N> {
    fn forget(&self, id: u64) {
        let gone = self.lock().living.remove(&id);
        // What it holds is dropped without the lock.
        drop(gone);
    }
}

fn add<const N: usize>(sum: &mut [u64; N], values: [u64; N]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum = sum.saturating_add(value);
    }
}

/// A gauge's value.
pub(crate) fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
