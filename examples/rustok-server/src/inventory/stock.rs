//! Stock levels in memory.
//!
//! Every SKU starts with a full shelf, and what was taken comes back one piece at a time, as
//! if a supplier delivered. A SKU whose shelf is full again is forgotten, so memory stays
//! bounded without a list of products.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Pieces on a full shelf.
const FULL: i64 = 25;
/// How long a supplier takes for one piece.
const REFILL: Duration = Duration::from_secs(2);
/// SKUs after which full shelves are forgotten.
const TIDY_AT: usize = 1_000;

/// The shelves of all SKUs, and whether the storehouse is open.
#[derive(Debug, Default)]
pub(super) struct Stock {
    shelves: Mutex<HashMap<String, Shelf>>,
    closed_until: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone, Copy)]
struct Shelf {
    pieces: i64,
    counted_at: Instant,
}

impl Stock {
    /// How many there are.
    pub(super) fn available(&self, key: &str) -> i64 {
        let now = Instant::now();
        lock(&self.shelves)
            .get(key)
            .map_or(FULL, |shelf| shelf.refilled(now).pieces)
    }

    /// Takes some, if there are enough. Says how many are left, or how many there are.
    pub(super) fn take(&self, key: &str, wanted: i64) -> Result<i64, i64> {
        let now = Instant::now();
        let mut shelves = lock(&self.shelves);
        if shelves.len() >= TIDY_AT {
            shelves.retain(|_, shelf| shelf.refilled(now).pieces < FULL);
        }
        let known = shelves.get(key).copied();
        let mut shelf = known
            .unwrap_or(Shelf {
                pieces: FULL,
                counted_at: now,
            })
            .refilled(now);
        if shelf.pieces < wanted {
            return Err(shelf.pieces);
        }
        shelf.pieces -= wanted;
        shelves.insert(key.to_owned(), shelf);
        Ok(shelf.pieces)
    }

    /// Answers nobody for a while.
    pub(super) fn close_for(&self, time: Duration) {
        *lock(&self.closed_until) = Some(Instant::now() + time);
    }

    /// Whether anybody is answered.
    pub(super) fn is_open(&self) -> bool {
        lock(&self.closed_until).is_none_or(|until| Instant::now() >= until)
    }
}

impl Shelf {
    /// The shelf with what was delivered since it was counted.
    fn refilled(self, now: Instant) -> Self {
        let waited = now.saturating_duration_since(self.counted_at);
        let delivered = u32::try_from(waited.as_millis() / REFILL.as_millis()).unwrap_or(u32::MAX);
        let pieces = self.pieces.saturating_add(i64::from(delivered)).min(FULL);
        // The time of a piece that is still on its way counts for the next one.
        let on_its_way = waited.saturating_sub(REFILL.saturating_mul(delivered));
        Self {
            pieces,
            counted_at: now.checked_sub(on_its_way).unwrap_or(now),
        }
    }
}

/// Nothing here can leave a map half changed, so a poisoned lock is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_cannot_go_below_zero() {
        let stock = Stock::default();
        assert_eq!(stock.take("acme/TEA", 20), Ok(5));
        assert_eq!(stock.take("acme/TEA", 6), Err(5));
        assert_eq!(stock.available("acme/TEA"), 5);
        assert_eq!(stock.available("globex/TEA"), FULL);
    }

    #[test]
    fn shelves_fill_again() {
        let now = Instant::now();
        let shelf = Shelf {
            pieces: 3,
            counted_at: now,
        };
        assert_eq!(shelf.refilled(now + REFILL * 2).pieces, 5);
        assert_eq!(shelf.refilled(now + REFILL * 1000).pieces, FULL);
        let twice = shelf
            .refilled(now + REFILL * 3 / 2)
            .refilled(now + REFILL * 2);
        assert_eq!(twice.pieces, 5, "the time of half a piece isn't lost");
    }

    #[test]
    fn an_outage_ends() {
        let stock = Stock::default();
        assert!(stock.is_open());
        stock.close_for(Duration::from_secs(60));
        assert!(!stock.is_open());
        stock.close_for(Duration::ZERO);
        assert!(stock.is_open());
    }
}
