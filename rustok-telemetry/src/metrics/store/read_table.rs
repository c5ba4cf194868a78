//! An append-only hash table with lock-free reads.
//!
//! Entries never move and are never removed: like the tables, which are parts of statics, they live as long as the
//! process. Each entry begins on a cache line of its own. The slots are pointers to entries, in levels; each level has
//! twice the slots of the one before, and all of its entries. A reader uses the newest level and never waits for a
//! writer. Writers take a lock.
//!
//! # Memory ordering
//!
//! A writer completes an entry before it fills the slot, fills all slots of a level before it publishes the level, and
//! fills the slot before it publishes the length. These are `Release` writes and `Acquire` reads, so a reader that sees
//! one sees everything before it. In particular, a reader that has seen a length finds that many entries.

use super::sync::{AtomicUsize, Mutex, OnceLock, OnceRef, Ordering, PoisonError};

const FIRST: usize = 16;

const MAX: usize = 1 << 30;

/// A hash table of entries that are found by a hash and a predicate.
#[derive(Debug)]
pub(crate) struct ReadTable<E: 'static> {
    levels: Box<[Level<E>]>,
    /// Index of the newest level, which has every entry.
    newest: AtomicUsize,
    length: AtomicUsize,
    limit: usize,
    writing: Mutex<()>,
}

/// Slots, allocated on demand and at most half full.
type Level<E> = OnceLock<Box<[Slot<E>]>>;

/// Pointer to an entry. An empty slot ends the search.
type Slot<E> = OnceRef<'static, Hashed<E>>;

#[derive(Debug)]
#[repr(C, align(64))]
struct Hashed<E> {
    entry: E,
    /// Needed to fill the next level.
    hash: u64,
}

impl<E> ReadTable<E> {
    /// Creates a table for up to `limit` entries. Memory is allocated as they are inserted.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.min(MAX);
        let levels = 1 + (limit * 2).div_ceil(FIRST).next_power_of_two().ilog2() as usize;
        Self {
            levels: (0..levels).map(|_| OnceLock::new()).collect(),
            newest: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            limit,
            writing: Mutex::new(()),
        }
    }

    /// Returns the number of entries. A later `find` sees all of them.
    pub(crate) fn len(&self) -> usize {
        self.length.load(Ordering::Acquire)
    }

    /// Returns the entry with this hash for which `is` returns `true`.
    #[inline]
    pub(crate) fn find_hashed(&self, hash: u64, is: impl Fn(&E) -> bool) -> Option<&E> {
        self.find_by(hash, |found| found.hash == hash && is(&found.entry))
    }

    /// Returns an entry for which `is` returns `true`. Its hash selects the same slot.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is: impl Fn(&E) -> bool) -> Option<&E> {
        self.find_by(hash, |found| is(&found.entry))
    }

    #[inline]
    fn find_by(&self, hash: u64, is: impl Fn(&Hashed<E>) -> bool) -> Option<&E> {
        let slots = self.newest()?;
        let mask = slots.len().wrapping_sub(1);
        let mut found = slots.get(start(hash) & mask)?.get()?;
        let mut at = start(hash);
        while !is(found) {
            at = at.wrapping_add(1);
            found = slots.get(at & mask)?.get()?;
        }
        Some(&found.entry)
    }

    /// Visits each entry, in no particular order.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&E)) {
        let slots = self.newest().into_iter().flatten();
        slots
            .filter_map(Slot::get)
            .for_each(|found| visit(&found.entry));
    }

    /// Inserts an entry; returns `false` if the table is full. Does not check for an equal entry.
    pub(crate) fn insert(&self, hash: u64, entry: E) -> bool {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let length = self.length.load(Ordering::Relaxed);
        if length == self.limit {
            return false;
        }
        self.link(Box::leak(Box::new(Hashed { hash, entry })), length);
        self.length.store(length + 1, Ordering::Release);
        true
    }

    /// Fills a slot with an entry; in a new level, if the newest would be more than half full.
    fn link(&self, entry: &'static Hashed<E>, length: usize) {
        let newest = self.newest.load(Ordering::Relaxed);
        let slots = self.levels[newest].get_or_init(|| empty(FIRST));
        if (length + 1) * 2 <= slots.len() {
            return fill(slots, entry);
        }
        let larger = empty(slots.len() * 2);
        for earlier in slots.iter().filter_map(Slot::get) {
            fill(&larger, earlier);
        }
        fill(&larger, entry);
        let added = self.levels[newest + 1].set(larger).is_ok();
        debug_assert!(added, "each level is set once");
        self.newest.store(newest + 1, Ordering::Release);
    }

    #[inline]
    fn newest(&self) -> Option<&[Slot<E>]> {
        let newest = self.newest.load(Ordering::Acquire);
        self.levels.get(newest)?.get().map(|slots| &**slots)
    }
}

fn empty<E>(length: usize) -> Box<[Slot<E>]> {
    (0..length).map(|_| Slot::new()).collect()
}

/// Fills the first empty slot of the entry's probe sequence.
fn fill<E>(slots: &[Slot<E>], entry: &'static Hashed<E>) {
    let mask = slots.len() - 1;
    let mut at = start(entry.hash);
    while slots[at & mask].set(entry).is_err() {
        at = at.wrapping_add(1);
    }
}

/// Returns where the probe sequence of a hash begins.
#[allow(clippy::cast_possible_truncation, reason = "the low bits are used")]
#[inline]
fn start(hash: u64) -> usize {
    hash as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_a_grown_table_is_found() {
        let spread: fn(u64) -> u64 = |entry| entry.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for (entries, hash) in [(10_000, spread), (100, |_| 0), (100, |_| u64::MAX)] {
            let table = ReadTable::new(10_000);
            assert!((0..entries).all(|entry| table.insert(hash(entry), entry)));
            for entry in 0..=entries {
                let found = table.find(hash(entry), |own| *own == entry);
                assert_eq!(found, Some(&entry).filter(|entry| **entry < entries));
                let on_cache_line =
                    |found: &u64| std::ptr::from_ref(found).addr().is_multiple_of(64);
                assert!(found.is_none_or(on_cache_line));
            }
            let mut visited = Vec::new();
            table.visit(&mut |entry| visited.push(*entry));
            visited.sort_unstable();
            assert!(visited.into_iter().eq(0..entries), "each once");
        }
    }

    #[test]
    fn a_full_table_rejects_entries() {
        for limit in [0, 1, 7, 8, 9, 500, usize::MAX] {
            let table = ReadTable::new(limit);
            let added = (0..600).filter(|n| table.insert(*n, *n)).count();
            assert_eq!([added, table.len()], [limit.min(600); 2]);
        }
    }
}
