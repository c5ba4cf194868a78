//! What is remembered of spans that are open, by their ids.
//!
//! Not among the registry's extensions: each value there is allocated anew for each span, and found by two look-ups. A
//! table here grows to the number of spans that were open at once, as the registry does, and then allocates no more.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use hashbrown::{HashTable, hash_table::Entry};
use tracing::span::Id;

/// States of open spans. Threads meet only if their spans' ids fall into the same of many parts.
pub(super) struct OpenSpans<T>(Box<[Part<T>]>);

/// On cache lines of its own; two, as processors fetch them in pairs.
#[repr(align(128))]
struct Part<T>(Mutex<HashTable<(u64, T)>>);

/// A power of two, and several times as many as threads that begin and end spans at one moment.
const PARTS: usize = 64;

impl<T> OpenSpans<T> {
    pub(super) fn new() -> Self {
        let part = |_| Part(Mutex::new(HashTable::new()));
        Self((0..PARTS).map(part).collect())
    }

    /// Remembers the state of a span that begins.
    pub(super) fn insert(&self, id: &Id, state: T) {
        let (id, hash) = hashed(id);
        match self.part(hash).entry(hash, |one| one.0 == id, rehash) {
            Entry::Occupied(mut entry) => entry.get_mut().1 = state,
            Entry::Vacant(entry) => {
                entry.insert((id, state));
            }
        }
    }

    /// Looks at the state of a span, and changes it, if the span is known. No other span of the same part can begin or
    /// end meanwhile, so nothing that may log is called here.
    pub(super) fn with<R>(&self, id: &Id, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let (id, hash) = hashed(id);
        let mut part = self.part(hash);
        let found = part.find_mut(hash, |one| one.0 == id);
        found.map(|(_, state)| change(state))
    }

    /// Forgets a span that has ended.
    pub(super) fn remove(&self, id: &Id) -> Option<T> {
        let (id, hash) = hashed(id);
        let mut part = self.part(hash);
        let found = part.find_entry(hash, |one| one.0 == id).ok()?;
        Some(found.remove().0.1)
    }

    fn part(&self, hash: u64) -> MutexGuard<'_, HashTable<(u64, T)>> {
        // The table takes the other bits.
        let part = &self.0[(hash >> 32) as usize % PARTS];
        part.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> fmt::Debug for OpenSpans<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenSpans")
    }
}

/// Ids of the registry count up in some of their bits, by thread and by use of a place: they have to be mixed, but
/// nobody outside chooses them.
fn hashed(id: &Id) -> (u64, u64) {
    let id = id.into_u64();
    (id, mix(id))
}

fn mix(id: u64) -> u64 {
    // 2⁶⁴ by the golden ratio.
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
    fn each_span_has_its_own_state_until_it_ends() {
        let spans = OpenSpans::new();
        let ids = || (1..=10_000).map(|number| Id::from_u64((number << 38) | (number % 7 + 1)));
        for (number, id) in ids().enumerate() {
            spans.insert(&id, number);
        }
        for (number, id) in ids().enumerate() {
            assert_eq!(spans.with(&id, |state| *state += 1), Some(()));
            assert_eq!(spans.remove(&id), Some(number + 1));
            assert_eq!(spans.remove(&id), None);
            assert_eq!(spans.with(&id, |_| ()), None);
        }
    }

    #[test]
    fn a_state_that_is_there_is_replaced() {
        let (spans, id) = (OpenSpans::new(), Id::from_u64(7));
        spans.insert(&id, 1);
        spans.insert(&id, 2);
        assert_eq!(spans.remove(&id), Some(2));
        assert_eq!(spans.remove(&id), None);
    }

    #[test]
    fn ids_are_spread_over_the_parts() {
        // The first span of each of many threads, and of each use of its place.
        for step in [1, 1 << 38, 1 << 51] {
            let mut parts: Vec<_> = (1..=64_u64)
                .map(|number| (mix(number * step + 1) >> 32) as usize % PARTS)
                .collect();
            parts.sort();
            parts.dedup();
            assert!(parts.len() > PARTS / 3, "{step}: {}", parts.len());
        }
    }
}
