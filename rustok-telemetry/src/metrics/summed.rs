//! Gauges whose value is the sum of several sources, read before each collection: the pools of a service, or the parts
//! of a cache.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    ObserverGuard,
    callbacks::{Callback, ReadAhead},
    update_cache_size, update_db_connections,
};

#[derive(Default)]
pub(crate) struct Sums {
    /// Active and idle connections of pools, all with one key.
    pub(crate) connections: Arc<Summed<2>>,
    /// Entries of caches, by cache name.
    pub(crate) cache_sizes: Arc<Summed<1>>,
}

impl Sums {
    pub(super) fn report(&self) {
        self.connections.report(|_, [active, idle]| {
            update_db_connections("active", active);
            update_db_connections("idle", idle);
        });
        self.cache_sizes
            .report(|cache, [size]| update_cache_size(cache, size));
    }

    pub(super) fn add_callbacks(&self, all: &mut Vec<Arc<Callback>>) {
        self.connections.add_callbacks(all);
        self.cache_sizes.add_callbacks(all);
    }

    pub(super) fn sources(&self) -> usize {
        self.connections.lock().living.len() + self.cache_sizes.lock().living.len()
    }
}

/// `N` values for each key, each the sum over the key's sources.
#[derive(Default)]
pub(crate) struct Summed<const N: usize>(Mutex<Sources<N>>);

#[derive(Default)]
struct Sources<const N: usize> {
    next: u64,
    living: BTreeMap<u64, Source<N>>,
    /// Keys that had a source since the last collection began. A key without sources is reported once more, as 0.
    to_report: BTreeSet<Arc<str>>,
}

#[derive(Clone)]
struct Source<const N: usize> {
    key: Arc<str>,
    /// Reads the current values; `None` removes the source.
    values: ReadAhead<Option<[u64; N]>>,
}

impl<const N: usize> Summed<N> {
    /// Adds a source to the sum of `key`. `name` describes it in the health. Dropping the returned guard removes it.
    pub(crate) fn observe(
        self: &Arc<Self>,
        key: Arc<str>,
        name: String,
        read: impl Fn() -> Option<[u64; N]> + Send + Sync + 'static,
    ) -> ObserverGuard {
        let mut sources = self.lock();
        let id = sources.next;
        sources.next += 1;
        sources.to_report.insert(key.clone());
        let values = ReadAhead::new(name, read);
        sources.living.insert(id, Source { key, values });
        let summed = Arc::clone(self);
        ObserverGuard::new(move || summed.remove(id))
    }

    fn add_callbacks(&self, all: &mut Vec<Arc<Callback>>) {
        let sources = self.lock();
        let values = sources.living.values().map(|source| &source.values);
        all.extend(values.map(|values| Arc::clone(&values.callback)));
    }

    /// Sets the sums of what the callbacks returned last. A source that hangs counts with its last values.
    fn report(&self, set: fn(&str, [i64; N])) {
        let (living, keys) = {
            let mut sources = self.lock();
            (sources.living.clone(), mem::take(&mut sources.to_report))
        };
        let mut sums: BTreeMap<_, _> = keys.into_iter().map(|key| (key, [0; N])).collect();
        // The sum of a source that has never returned, or has panicked, is not 0.
        for source in living.values() {
            if source.values.latest().is_none() {
                sums.remove(&source.key);
            }
        }
        for (id, source) in &living {
            let latest = *source.values.latest();
            match latest {
                Some(Some(values)) => add(sums.entry(source.key.clone()).or_insert([0; N]), values),
                Some(None) => self.remove(*id),
                None => {}
            }
        }
        for (key, sum) in &sums {
            set(
                key,
                sum.map(|value| i64::try_from(value).unwrap_or(i64::MAX)),
            );
        }
        let keys = living.into_values().map(|source| source.key);
        self.lock().to_report.extend(keys);
    }

    fn remove(&self, id: u64) {
        let removed = self.lock().living.remove(&id);
        // The callback's captures are dropped without the lock.
        drop(removed);
    }

    fn lock(&self) -> MutexGuard<'_, Sources<N>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add<const N: usize>(sum: &mut [u64; N], values: [u64; N]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum = sum.saturating_add(value);
    }
}
