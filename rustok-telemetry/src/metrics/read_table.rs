//! An append-only hash table that is read without a lock.
//!
//! Entries never move and are never removed. They lie in segments, each twice as long as the one before; the slots that
//! lead to them lie in levels, each twice as long as the one before and holding everything that was in it. A reader
//! takes the newest level, and never waits for a writer; writers wait for each other.
//!
//! # Why a reader sees what it has to
//!
//! A slot is written after its entry, a level's number after all of its slots, and the length after the slot. Each is
//! written with `Release` and read with `Acquire`, so whoever sees one sees what came before. A reader that misses an
//! entry that is just being added is as if it had come earlier; one that has seen a length finds that many entries.

use super::sync::{AtomicU64, AtomicUsize, Mutex, OnceLock, Ordering, PoisonError};

/// Slots of the first level, and twice the entries of the first segment.
const FIRST: usize = 16;

/// Entries that any table can have: a slot has 32 bits for an entry's number.
const MOST: usize = 1 << 30;

/// Entries that are found by a hash.
#[derive(Debug)]
pub(super) struct ReadTable<E> {
    segments: Box<[Later<OnceLock<E>>]>,
    levels: Box<[Later<AtomicU64>]>,
    /// The newest level, which has every entry.
    newest: AtomicUsize,
    length: AtomicUsize,
    limit: usize,
    writing: Mutex<()>,
}

/// A segment or a level, made when it is needed.
type Later<T> = OnceLock<Box<[T]>>;

impl<E> ReadTable<E> {
    /// A table for at most so many entries; their memory is taken as they come.
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.min(MOST);
        let levels = 1 + (limit * 2).div_ceil(FIRST).next_power_of_two().ilog2() as usize;
        Self {
            segments: (0..levels).map(|_| OnceLock::new()).collect(),
            levels: (0..levels).map(|_| OnceLock::new()).collect(),
            newest: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            limit,
            writing: Mutex::new(()),
        }
    }

    /// How many entries there are at least: whoever looks for one of them afterwards finds it.
    pub(super) fn len(&self) -> usize {
        self.length.load(Ordering::Acquire)
    }

    /// The entry with this hash that `is` takes for the right one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is: impl Fn(&E) -> bool) -> Option<&E> {
        let slots = self
            .levels
            .get(self.newest.load(Ordering::Acquire))?
            .get()?;
        let mask = slots.len() - 1;
        let mut at = start(hash);
        loop {
            let slot = Slot(slots[at & mask].load(Ordering::Acquire));
            let number = slot.entry()?;
            if slot.tag() == tag(hash) {
                let entry = self.get(number).filter(|entry| is(entry));
                if entry.is_some() {
                    return entry;
                }
            }
            at = at.wrapping_add(1);
        }
    }

    /// Calls back for each entry, in the order in which they came.
    pub(super) fn visit(&self, visit: &mut dyn FnMut(&E)) {
        (0..self.len())
            .filter_map(|number| self.get(number))
            .for_each(visit);
    }

    /// Adds an entry, unless the table is full. Whether there is an equal one already is not looked at.
    pub(super) fn insert(&self, hash: u64, entry: E, rehash: impl Fn(&E) -> u64) -> bool {
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.length.load(Ordering::Relaxed);
        if number == self.limit {
            return false;
        }
        let (segment, offset) = place(number);
        let length = (FIRST / 2) << segment;
        let entries = self.segments[segment].get_or_init(|| empty(length));
        let placed = entries[offset].set(entry).is_ok();
        debug_assert!(placed, "each number is given once");
        self.lead_to(hash, number, rehash);
        self.length.store(number + 1, Ordering::Release);
        true
    }

    /// Makes a slot lead to an entry that is in its place; in a new level, if the newest would be more than half full.
    fn lead_to(&self, hash: u64, number: usize, rehash: impl Fn(&E) -> u64) {
        let newest = self.newest.load(Ordering::Relaxed);
        let slots = self.levels[newest].get_or_init(|| unused(FIRST));
        if (number + 1) * 2 <= slots.len() {
            return set(slots, hash, number);
        }
        let larger = unused(slots.len() * 2);
        for earlier in 0..number {
            if let Some(entry) = self.get(earlier) {
                set(&larger, rehash(entry), earlier);
            }
        }
        set(&larger, hash, number);
        let added = self.levels[newest + 1].set(larger).is_ok();
        debug_assert!(added, "each level is made once");
        self.newest.store(newest + 1, Ordering::Release);
    }

    #[inline]
    fn get(&self, number: usize) -> Option<&E> {
        let (segment, offset) = place(number);
        self.segments.get(segment)?.get()?.get(offset)?.get()
    }
}

/// Where the entry of this number lies: segment and offset.
fn place(number: usize) -> (usize, usize) {
    let first = FIRST / 2;
    let shifted = number + first;
    let length = 1 << shifted.ilog2();
    ((length / first).ilog2() as usize, shifted - length)
}

fn empty<E>(length: usize) -> Box<[OnceLock<E>]> {
    (0..length).map(|_| OnceLock::new()).collect()
}

fn unused(length: usize) -> Box<[AtomicU64]> {
    (0..length).map(|_| AtomicU64::new(0)).collect()
}

fn set(slots: &[AtomicU64], hash: u64, number: usize) {
    let mask = slots.len() - 1;
    let mut at = start(hash);
    while slots[at & mask].load(Ordering::Relaxed) != 0 {
        at = at.wrapping_add(1);
    }
    slots[at & mask].store(Slot::new(hash, number).0, Ordering::Release);
}

/// Where the search begins.
#[allow(clippy::cast_possible_truncation, reason = "the low bits are meant")]
fn start(hash: u64) -> usize {
    hash as usize
}

/// What of a hash is kept in its slot: not the bits that choose the slot.
fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// A tag, and the number of an entry and one; 0 is an unused slot.
#[derive(Clone, Copy)]
struct Slot(u64);

impl Slot {
    fn new(hash: u64, number: usize) -> Self {
        Self(u64::from(tag(hash)) << 32 | (number as u64 + 1))
    }

    fn tag(self) -> u32 {
        tag(self.0)
    }

    fn entry(self) -> Option<usize> {
        #[allow(clippy::cast_possible_truncation, reason = "the low half is meant")]
        let number = self.0 as u32;
        Some(number.checked_sub(1)? as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(entries: u64, hash: impl Fn(&u64) -> u64) -> ReadTable<u64> {
        let table = ReadTable::new(10_000);
        for entry in 0..entries {
            assert!(table.insert(hash(&entry), entry, &hash));
        }
        table
    }

    #[test]
    fn entries_are_found_however_many_there_are() {
        let hash = |entry: &u64| entry.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let table = filled(10_000, hash);
        for entry in 0..10_000 {
            assert_eq!(table.find(hash(&entry), |own| *own == entry), Some(&entry));
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
            let added = (0..600).filter(|n| table.insert(*n, *n, |own| *own));
            assert_eq!(added.count(), limit.min(600));
            assert_eq!(table.len(), limit.min(600));
        }
    }

    #[test]
    fn entries_are_visited_in_their_order() {
        let mut seen = Vec::new();
        filled(100, |entry| *entry).visit(&mut |entry| seen.push(*entry));
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn numbers_have_places_of_their_own() {
        let places: Vec<_> = (0..40).map(place).collect();
        assert_eq!(
            places[..9],
            [
                (0, 0),
                (0, 1),
                (0, 2),
                (0, 3),
                (0, 4),
                (0, 5),
                (0, 6),
                (0, 7),
                (1, 0)
            ]
        );
        assert_eq!(places[23..26], [(1, 15), (2, 0), (2, 1)]);
    }
}
