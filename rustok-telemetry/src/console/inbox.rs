//! Spans and log records, and the place where threads of the service leave them until a thread of the console sorts
//! them in.

use std::{
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Estimate of what an allocation that is shared takes beyond its content.
pub(super) const SHARED: usize = 32;

/// What items are sorted into.
pub(super) trait Store {
    type Item;

    /// Adds an item with its estimated bytes. Returns whether there is room for it.
    fn add(&mut self, item: Self::Item, bytes: usize) -> bool;
}

/// A store with the items that wait for it. A push is an append under a lock that is never held for longer.
#[derive(Debug)]
pub(super) struct Inbox<S: Store> {
    waiting: Mutex<Waiting<S::Item>>,
    limit: usize,
    store: Mutex<S>,
    accepted: AtomicU64,
    not_kept: AtomicU64,
}

#[derive(Debug)]
struct Waiting<T> {
    items: Vec<(T, usize)>,
    bytes: usize,
}

impl<S: Store> Inbox<S> {
    /// Creates an inbox; items that wait have at most `limit` bytes.
    pub(super) fn new(limit: usize, store: S) -> Self {
        let (items, bytes) = (Vec::new(), 0);
        Self {
            waiting: Mutex::new(Waiting { items, bytes }),
            limit,
            store: Mutex::new(store),
            accepted: AtomicU64::new(0),
            not_kept: AtomicU64::new(0),
        }
    }

    /// Adds an item, or counts it if there is no room. Returns whether the inbox is now half full, and was not before.
    pub(super) fn push(&self, item: S::Item, bytes: usize) -> bool {
        let mut waiting = lock(&self.waiting);
        let filled = waiting.bytes + bytes;
        if filled > self.limit {
            self.not_kept.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        let was_full = waiting.bytes >= self.limit / 2;
        waiting.bytes = filled;
        waiting.items.push((item, bytes));
        self.accepted.fetch_add(1, Ordering::Relaxed);
        !was_full && filled >= self.limit / 2
    }

    /// Returns the store, with everything that has been pushed.
    pub(super) fn sorted(&self) -> MutexGuard<'_, S> {
        let mut store = lock(&self.store);
        let items = {
            let mut waiting = lock(&self.waiting);
            waiting.bytes = 0;
            mem::take(&mut waiting.items)
        };
        for (item, bytes) in items {
            if !store.add(item, bytes) {
                self.not_kept.fetch_add(1, Ordering::Relaxed);
            }
        }
        store
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        lock(&self.waiting).bytes
    }

    /// Returns how many items have been pushed so far.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(super) fn not_kept(&self) -> u64 {
        self.not_kept.load(Ordering::Relaxed)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Store for Vec<u8> {
        type Item = u8;

        fn add(&mut self, item: u8, _: usize) -> bool {
            self.push(item);
            item != 2
        }
    }

    #[test]
    fn items_beyond_the_limit_are_counted() {
        let inbox = Inbox::new(10, Vec::new());
        assert_eq!(
            [1, 2, 3, 4].map(|item| inbox.push(item, 4)),
            [false, true, false, false]
        );
        assert_eq!((inbox.waiting_bytes(), inbox.not_kept()), (8, 2));
        assert_eq!(*inbox.sorted(), [1, 2]);
        assert_eq!((inbox.waiting_bytes(), inbox.not_kept()), (0, 3));
        assert_eq!(inbox.accepted(), 2);
    }
}
