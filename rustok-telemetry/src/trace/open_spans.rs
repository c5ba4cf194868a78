//! State of open spans, by id.
//!
//! Extensions of the registry would allocate for each span and need two lookups. The tables here grow to the maximum
//! number of open spans and then do not allocate.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hashbrown::{HashTable, hash_table::Entry};
use tracing::span::Id;

/// A map from the ids of open spans to their state, sharded to avoid contention.
pub(super) struct OpenSpans<T>(Box<[Shard<T>]>);

/// Aligned to two cache lines, because processors prefetch them in pairs.
#[repr(align(128))]
struct Shard<T>(Mutex<HashTable<(u64, T)>>);

/// Number of shards: a power of two, several times the number of threads that create spans concurrently.
const SHARDS: usize = 64;

impl<T> OpenSpans<T> {
    pub(super) fn new() -> Self {
        let shard = |_| Shard(Mutex::new(HashTable::new()));
        Self((0..SHARDS).map(shard).collect())
    }

    /// Inserts or replaces the state of a span.
    pub(super) fn insert(&self, id: &Id, state: T) {
        let (id, hash) = hashed(id);
        match self.shard(hash).entry(hash, |entry| entry.0 == id, rehash) {
            Entry::Occupied(mut entry) => entry.get_mut().1 = state,
            Entry::Vacant(entry) => {
                entry.insert((id, state));
            }
        }
    }

    /// Calls `change` with the state of a span, if the span is known. `change` runs under the shard's lock and must not
    /// log.
    pub(super) fn with<R>(&self, id: &Id, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let (id, hash) = hashed(id);
        let mut shard = self.shard(hash);
        let found = shard.find_mut(hash, |entry| entry.0 == id);
        found.map(|(_, state)| change(state))
    }

    /// Removes and returns the state of a span.
    pub(super) fn remove(&self, id: &Id) -> Option<T> {
        let (id, hash) = hashed(id);
        let mut shard = self.shard(hash);
        let found = shard.find_entry(hash, |entry| entry.0 == id).ok()?;
        Some(found.remove().0.1)
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, HashTable<(u64, T)>> {
        // The table uses the other bits.
        let shard = &self.0[(hash >> 32) as usize % SHARDS];
        shard.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for OpenSpans<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenSpans")
    }
}

/// Returns an id and its hash. The registry's ids count up in some of their bits, so mixing is enough; no attacker
/// chooses them.
fn hashed(id: &Id) -> (u64, u64) {
    let id = id.into_u64();
    (id, mix(id))
}

fn mix(id: u64) -> u64 {
    // 2⁶⁴ divided by the golden ratio.
    let product = u128::from(id) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

fn rehash<T>((id, _): &(u64, T)) -> u64 {
    mix(*id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insert_replaces_the_state() {
        let (spans, id) = (OpenSpans::new(), Id::from_u64(7));
        spans.insert(&id, 1);
        spans.insert(&id, 2);
        assert_eq!(spans.remove(&id), Some(2));
        assert_eq!(spans.remove(&id), None);
    }

    #[test]
    fn ids_are_spread_over_the_shards() {
        // Ids that differ in the slot, the thread or the generation.
        for step in [1, 1 << 38, 1 << 51] {
            let mut shards: Vec<_> = (1..=64_u64)
                .map(|number| (mix(number * step + 1) >> 32) as usize % SHARDS)
                .collect();
            shards.sort();
            shards.dedup();
            assert!(shards.len() > SHARDS / 3, "{step}: {}", shards.len());
        }
    }
}
