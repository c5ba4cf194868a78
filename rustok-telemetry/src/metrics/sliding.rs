//! Totals over a sliding window, for the gauges that are derived at collection.
//!
//! Recording is one atomic addition to a running total. The window is made when metrics are collected: each
//! collection remembers the totals that it saw, and compares with what was remembered at the window's beginning.

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

/// Length of the window.
pub(super) const WINDOW: Duration = Duration::from_secs(300);

/// Collections closer than this to the one before are not remembered, which bounds the memory.
const SPACING: Duration = Duration::from_secs(5);

/// `K` running totals for each key, at most `limit` keys (and `other`). Adding to a known key takes no lock.
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

    /// Adds one to total number `which` of `key`.
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

    /// Calls back for each key with what was added within the window and the seconds that it covers: [`WINDOW`], or
    /// more where collections are far apart. A process that is younger has added nothing in the time before its start.
    pub(super) fn visit(&self, now: Instant, visit: &mut dyn FnMut(&str, [u64; K], f64)) {
        self.keys.visit(&mut |(key, totals)| {
            let (added, seconds) = totals.within_window(now);
            visit(key, added, seconds);
        });
    }

    /// Adds if the key is there, or never will be; tells whether it did.
    fn add_known(&self, key: &str, which: usize) -> bool {
        // In this order: the key that takes the last room at this moment must not be taken for one too many.
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
    /// What earlier collections saw, oldest first. Only collections take this lock.
    remembered: Mutex<VecDeque<(Instant, [u64; K])>>,
}

impl<const K: usize> Default for Totals<K> {
    fn default() -> Self {
        Self {
            running: array::from_fn(|_| AtomicU64::new(0)),
            remembered: Mutex::default(),
        }
    }
}

impl<const K: usize> Totals<K> {
    fn within_window(&self, now: Instant) -> ([u64; K], f64) {
        let totals: [u64; K] = array::from_fn(|i| self.running[i].load(Ordering::Relaxed));
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Keep one that is older than the window: it is where the window begins.
        while remembered
            .get(1)
            .is_some_and(|(then, _)| now.duration_since(*then) >= WINDOW)
        {
            remembered.pop_front();
        }
        let (covered, before) = match remembered.front() {
            Some((then, totals)) if now.duration_since(*then) >= WINDOW => {
                (now.duration_since(*then), *totals)
            }
            // No collection is so old: a window ago there was nothing of this key.
            _ => (WINDOW, [0; K]),
        };
        if remembered
            .back()
            .is_none_or(|(then, _)| now.duration_since(*then) >= SPACING)
        {
            remembered.push_back((now, totals));
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

    fn read(totals: &SlidingTotals<2>, now: Instant) -> Vec<(String, [u64; 2], f64)> {
        let mut seen = Vec::new();
        totals.visit(now, &mut |key, added, seconds| {
            seen.push((key.to_owned(), added, seconds))
        });
        seen.sort_by(|a, b| a.0.cmp(&b.0));
        seen
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let totals = SlidingTotals::<2>::new(10);
        let start = Instant::now();
        totals.add("tenants", 0);
        totals.add("tenants", 1);
        assert_eq!(
            read(&totals, start + Duration::from_secs(10)),
            [("tenants".into(), [1, 1], 300.0)]
        );
        totals.add("tenants", 0);
        assert_eq!(
            read(&totals, start + Duration::from_secs(20)),
            [("tenants".into(), [2, 1], 300.0)]
        );
        // The window now begins at the first collection, which had seen one of each.
        assert_eq!(
            read(&totals, start + Duration::from_secs(310)),
            [("tenants".into(), [1, 0], 300.0)]
        );
        assert_eq!(
            read(&totals, start + Duration::from_secs(321)),
            [("tenants".into(), [0, 0], 301.0)]
        );
    }

    #[test]
    fn a_key_that_comes_late_is_averaged_over_the_window() {
        let totals = SlidingTotals::<2>::new(10);
        let late = Instant::now() + Duration::from_secs(7_200);
        read(&totals, late);
        totals.add("orders", 0);
        let seen = read(&totals, late + Duration::from_secs(1));
        assert_eq!(seen, [("orders".into(), [1, 0], 300.0)]);
    }

    /// Whether a collection comes at once, seconds or minutes after the key.
    #[test]
    fn one_addition_counts_the_same_in_a_young_process() {
        for seconds in [0, 1, 2, 59, 299] {
            let totals = SlidingTotals::<2>::new(10);
            totals.add("orders", 0);
            let seen = read(&totals, Instant::now() + Duration::from_secs(seconds));
            assert_eq!(seen, [("orders".into(), [1, 0], 300.0)], "{seconds} s");
        }
    }

    #[test]
    fn collections_that_are_far_apart_widen_the_window() {
        let totals = SlidingTotals::<2>::new(10);
        let start = Instant::now();
        totals.add("orders", 0);
        read(&totals, start);
        totals.add("orders", 0);
        let seen = read(&totals, start + Duration::from_secs(400));
        assert_eq!(seen, [("orders".into(), [1, 0], 400.0)]);
    }

    #[test]
    fn keys_past_the_limit_share_other() {
        let totals = SlidingTotals::<2>::new(2);
        for key in ["a", "b", "c", "d", "a", ""] {
            totals.add(key, 0);
        }
        let seen = read(&totals, Instant::now() + Duration::from_secs(5));
        let counts: Vec<_> = seen
            .iter()
            .map(|(key, added, _)| (key.as_str(), added[0]))
            .collect();
        assert_eq!(counts, [("a", 2), ("b", 1), ("other", 3)]);
    }

    #[test]
    fn memory_is_bounded_however_often_it_is_collected() {
        let totals = SlidingTotals::<2>::new(2);
        totals.add("a", 0);
        let start = Instant::now();
        for millisecond in 0..1_000_000 {
            totals.visit(
                start + Duration::from_millis(millisecond),
                &mut |_, _, _| {},
            );
        }
        let found = totals.find("a").expect("it was added");
        let remembered = found
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        assert!(remembered <= 62, "{remembered}");
    }
}
