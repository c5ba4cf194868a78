//! An append-only hash table that is read without a lock.
//!
//! Entries never move and are never removed: they live as long as the process, as the tables do, which are parts of
//! statics. Each begins on a cache line of its own, so what is looked at first is in one. The slots that lead to them lie
//! in levels, each twice as long as the one before and holding everything that was in it. A reader takes the newest level,
//! and never waits for a writer; writers wait for each other. From a slot it is one step to the entry, which says by itself
//! what its hash is.
//!
//! # Why a reader sees what it has to
//!
//! A slot is filled after its entry is whole, a level's number written after all of its slots, and the length after the
//! slot. Each is written with `Release` and read with `Acquire`, so whoever sees one sees what came before. A reader that
//! misses an entry that is just being added is as if it had come earlier; one that has seen a length finds that many
//! entries.

use super::sync::{AtomicUsize, Mutex, OnceLock, OnceRef, Ordering, PoisonError};

/// Slots of the first level.
const FIRST: usize = 16;

/// Entries that any table can have.
const MOST: usize = 1 << 30;

/// Entries that are found by a hash.
#[derive(Debug)]
pub(crate) struct ReadTable<E: 'static> {
    levels: Box<[Level<E>]>,
    /// The newest level, which has every entry.
    newest: AtomicUsize,
    length: AtomicUsize,
    limit: usize,
    writing: Mutex<()>,
}

/// Slots, made when they are needed; at most half of them are used.
type Level<E> = OnceLock<Box<[Slot<E>]>>;

/// Leads to an entry, or ends the search.
type Slot<E> = OnceRef<'static, Hashed<E>>;

#[derive(Debug)]
#[repr(C, align(64))]
struct Hashed<E> {
    entry: E,
    /// Only for growing.
    hash: u64,
}

impl<E> ReadTable<E> {
    /// A table for at most so many entries; their memory is taken as they come.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.min(MOST);
        let levels = 1 + (limit * 2).div_ceil(FIRST).next_power_of_two().ilog2() as usize;
        Self {
            levels: (0..levels).map(|_| OnceLock::new()).collect(),
            newest: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            limit,
            writing: Mutex::new(()),
        }
    }

    /// How many entries there are at least: whoever looks for one of them afterwards finds it.
    pub(crate) fn len(&self) -> usize {
        self.length.load(Ordering::Acquire)
    }

    /// The entry with this hash that `is` takes for the right one.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is: impl Fn(&E) -> bool) -> Option<&E> {
        let slots = self.newest()?;
        let mask = slots.len().wrapping_sub(1);
        let mut found = slots.get(start(hash) & mask)?.get()?;
        let mut at = start(hash);
        while !is(&found.entry) {
            at = at.wrapping_add(1);
            found = slots.get(at & mask)?.get()?;
        }
        Some(&found.entry)
    }

    /// Calls back for each entry, in an order of no meaning.
    pub(crate) fn visit(&self, visit: &mut dyn FnMut(&E)) {
        let slots = self.newest().into_iter().flatten();
        slots
            .filter_map(Slot::get)
            .for_each(|found| visit(&found.entry));
    }

    /// Adds an entry, unless the table is full. Whether there is an equal one already is not looked at.
    pub(crate) fn insert(&self, hash: u64, entry: E) -> bool {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let length = self.length.load(Ordering::Relaxed);
        if length == self.limit {
            return false;
        }
        self.lead_to(Box::leak(Box::new(Hashed { hash, entry })), length);
        self.length.store(length + 1, Ordering::Release);
        true
    }

    /// Makes a slot lead to an entry; in a new level, if the newest would be more than half full.
    fn lead_to(&self, entry: &'static Hashed<E>, length: usize) {
        let newest = self.newest.load(Ordering::Relaxed);
        let slots = self.levels[newest].get_or_init(|| unused(FIRST));
        if (length + 1) * 2 <= slots.len() {
            return fill(slots, entry);
        }
        let larger = unused(slots.len() * 2);
        for earlier in slots.iter().filter_map(Slot::get) {
            fill(&larger, earlier);
        }
        fill(&larger, entry);
        let added = self.levels[newest + 1].set(larger).is_ok();
        debug_assert!(added, "each level is made once");
        self.newest.store(newest + 1, Ordering::Release);
    }

    #[inline]
    fn newest(&self) -> Option<&[Slot<E>]> {
        let newest = self.newest.load(Ordering::Acquire);
        self.levels.get(newest)?.get().map(|slots| &**slots)
    }
}

fn unused<E>(length: usize) -> Box<[Slot<E>]> {
    (0..length).map(|_| Slot::new()).collect()
}

/// Fills the first free slot from where the search begins.
fn fill<E>(slots: &[Slot<E>], entry: &'static Hashed<E>) {
    let mask = slots.len() - 1;
    let mut at = start(entry.hash);
    while slots[at & mask].set(entry).is_err() {
        at = at.wrapping_add(1);
    }
}

/// Where the search begins.
#[allow(clippy::cast_possible_truncation, reason = "the low bits are meant")]
#[inline]
fn start(hash: u64) -> usize {
    hash as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(entries: u64, hash: impl Fn(&u64) -> u64) -> ReadTable<u64> {
        let table = ReadTable::new(10_000);
        for entry in 0..entries {
            assert!(table.insert(hash(&entry), entry));
        }
        table
    }

    #[test]
    fn entries_are_found_however_many_there_are() {
        let hash = |entry: &u64| entry.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let table = filled(10_000, hash);
        for entry in 0..10_000 {
            let found = table.find(hash(&entry), |own| *own == entry);
            let found = found.expect("it was added");
            assert_eq!(*found, entry);
            assert!(
                std::ptr::from_ref(found).addr().is_multiple_of(64),
                "it begins a cache line"
            );
        }
        let missing = 10_000;
        assert_eq!(table.find(hash(&missing), |own| *own == missing), None);
    }

    #[test]
    fn equal_hashes_are_told_apart() {
        for hash in [0, u64::MAX] {
            let table = filled(100, |_| hash);
            for entry in 0..100 {
                assert_eq!(table.find(hash, |own| *own == entry), Some(&entry));
            }
            assert_eq!(table.find(hash, |own| *own == 100), None);
        }
    }

    #[test]
    fn the_limit_holds() {
        for limit in [0, 1, 7, 8, 9, 500, usize::MAX] {
            let table = ReadTable::new(limit);
            let added = (0..600).filter(|n| table.insert(*n, *n));
            assert_eq!(added.count(), limit.min(600));
            assert_eq!(table.len(), limit.min(600));
        }
    }

    #[test]
    fn each_entry_is_visited_once() {
        let mut seen = Vec::new();
        filled(100, |entry| *entry).visit(&mut |entry| seen.push(*entry));
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }
}
