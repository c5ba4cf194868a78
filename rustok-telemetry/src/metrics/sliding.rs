//! Totals over a sliding window, for gauges that are derived at collection.
//!
//! Recording is one atomic addition to a running total. Each collection stores a snapshot of the totals, and subtracts
//! the snapshot from the beginning of the window.

use std::{
    array,
    collections::VecDeque,
    hash::BuildHasher,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use foldhash::quality::RandomState;

use super::{MAX_LABEL_VALUE_BYTES, NONE, OTHER, store::read_table::ReadTable};

pub(super) const WINDOW: Duration = Duration::from_secs(300);

/// Least time between two snapshots, which bounds their number.
const SPACING: Duration = Duration::from_secs(5);

/// `K` running totals for each key, for at most `limit` keys and `other`. Adding to a known key takes no lock.
pub(super) struct SlidingTotals<const K: usize> {
    limit: usize,
    keys: ReadTable<(Box<str>, Totals<K>)>,
    adding: Mutex<()>,
    hasher: RandomState,
}

impl<const K: usize> SlidingTotals<K> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            keys: ReadTable::new(limit + 1),
            adding: Mutex::new(()),
            hasher: RandomState::default(),
        }
    }

    /// Adds one to the total with index `which` of `key`.
    pub(super) fn add(&self, key: &str, which: usize) {
        let key = match key {
            "" => NONE,
            huge if huge.len() > MAX_LABEL_VALUE_BYTES => OTHER,
            key => key,
        };
        if !self.add_known(key, which) {
            self.add_new(key, which);
        }
    }

    /// Visits each key with what was added within the window, and the seconds that the window covers: [`WINDOW`], or
    /// more if collections are further apart. In a process younger than that, the window reaches back before its start.
    pub(super) fn visit(&self, now: Instant, visit: &mut dyn FnMut(&str, [u64; K], f64)) {
        self.keys.visit(&mut |(key, totals)| {
            let (added, seconds) = totals.within_window(now);
            visit(key, added, seconds);
        });
    }

    /// Adds to the key, or to `other` if the table is full; returns `false` if the key is to be inserted first.
    fn add_known(&self, key: &str, which: usize) -> bool {
        // Length before lookup, so that a key inserted in between as the last one is found and not folded.
        let full = self.keys.len() >= self.limit;
        let found = self.find(key).or_else(|| self.find(OTHER).filter(|_| full));
        if let Some(totals) = found {
            totals.running[which].fetch_add(1, Ordering::Relaxed);
        }
        found.is_some()
    }

    #[cold]
    fn add_new(&self, key: &str, which: usize) {
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        if self.add_known(key, which) {
            return;
        }
        let key = match self.keys.len() < self.limit {
            true => key,
            false => OTHER,
        };
        let totals = Totals::default();
        totals.running[which].fetch_add(1, Ordering::Relaxed);
        self.keys.insert(self.hash(key), (key.into(), totals));
    }

    fn find(&self, key: &str) -> Option<&Totals<K>> {
        let found = self.keys.find(self.hash(key), |(own, _)| **own == *key);
        found.map(|(_, totals)| totals)
    }

    fn hash(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }
}

struct Totals<const K: usize> {
    running: [AtomicU64; K],
    /// Totals at earlier collections, oldest first. Only collections take this lock.
    snapshots: Mutex<VecDeque<(Instant, [u64; K])>>,
}

impl<const K: usize> Default for Totals<K> {
    fn default() -> Self {
        Self {
            running: array::from_fn(|_| AtomicU64::new(0)),
            snapshots: Mutex::default(),
        }
    }
}

impl<const K: usize> Totals<K> {
    fn within_window(&self, now: Instant) -> ([u64; K], f64) {
        let totals: [u64; K] = array::from_fn(|i| self.running[i].load(Ordering::Relaxed));
        let snapshots = self.snapshots.lock();
        let mut snapshots = snapshots.unwrap_or_else(PoisonError::into_inner);
        let age = |(then, _): &(Instant, _)| now.duration_since(*then);
        // Keep one snapshot that is older than the window: there the window begins.
        while snapshots.get(1).is_some_and(|it| age(it) >= WINDOW) {
            snapshots.pop_front();
        }
        let (covered, before) = match snapshots.front() {
            Some(oldest) if age(oldest) >= WINDOW => (age(oldest), oldest.1),
            // The key is younger than the window.
            _ => (WINDOW, [0; K]),
        };
        if snapshots.back().is_none_or(|it| age(it) >= SPACING) {
            snapshots.push_back((now, totals));
        }
        (
            array::from_fn(|i| totals[i].saturating_sub(before[i])),
            covered.as_secs_f64(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What to add, when to read, and what is read: two totals and the length of the window.
    type Step = (&'static [usize], u64, ([u64; 2], f64));

    #[track_caller]
    fn check(steps: &[Step]) {
        let totals = SlidingTotals::<2>::new(10);
        let start = Instant::now();
        for (added, seconds, expected) in steps {
            added.iter().for_each(|which| totals.add("key", *which));
            let mut read = ([0; 2], 0.0);
            let now = start + Duration::from_secs(*seconds);
            totals.visit(now, &mut |_, totals, window| read = (totals, window));
            assert_eq!(read, *expected, "after {seconds} s");
        }
    }

    #[test]
    fn additions_before_the_window_do_not_count() {
        check(&[
            (&[0, 1], 10, ([1, 1], 300.0)),
            (&[0], 20, ([2, 1], 300.0)),
            // The window now begins at the first collection, with one of each.
            (&[], 310, ([1, 0], 300.0)),
            (&[], 321, ([0, 0], 301.0)),
        ]);
    }

    #[test]
    fn rare_collections_widen_the_window() {
        check(&[(&[0], 0, ([1, 0], 300.0)), (&[0], 400, ([1, 0], 400.0))]);
    }

    #[test]
    fn a_new_key_is_averaged_over_the_whole_window() {
        for seconds in [0, 1, 59, 299, 7_200] {
            check(&[(&[0], seconds, ([1, 0], 300.0))]);
        }
    }

    #[test]
    fn frequent_collections_do_not_grow_memory() {
        let totals = SlidingTotals::<2>::new(2);
        totals.add("a", 0);
        let start = Instant::now();
        for millisecond in 0..1_000_000 {
            let now = start + Duration::from_millis(millisecond);
            totals.visit(now, &mut |_, _, _| {});
        }
        let found = totals.find("a").expect("it was added");
        let snapshots = found.snapshots.lock().expect("no panic").len();
        assert!(snapshots <= 62, "{snapshots}");
    }
}
