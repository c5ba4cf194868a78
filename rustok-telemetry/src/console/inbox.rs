//! The place where threads of the service leave spans and log records, until a thread of the console sorts them in.

use std::{
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Items with their estimated bytes. A push is an append under a lock that is never held for longer.
#[derive(Debug)]
pub(super) struct Inbox<T> {
    waiting: Mutex<Waiting<T>>,
    limit: usize,
    accepted: AtomicU64,
    not_kept: AtomicU64,
}

/// Items that wait, and their bytes.
pub(super) type Items<T> = Vec<(T, usize)>;

#[derive(Debug)]
struct Waiting<T> {
    items: Items<T>,
    bytes: usize,
}

impl<T> Inbox<T> {
    pub(super) fn new(limit: usize) -> Self {
        let (items, bytes) = (Vec::new(), 0);
        Self {
            waiting: Mutex::new(Waiting { items, bytes }),
            limit,
            accepted: AtomicU64::new(0),
            not_kept: AtomicU64::new(0),
        }
    }

    /// Adds an item, or counts it if there is no room. Returns whether the inbox is now half full, and was not before.
    pub(super) fn push(&self, item: T, bytes: usize) -> bool {
        let mut waiting = self.lock();
        let filled = waiting.bytes + bytes;
        if filled > self.limit {
            drop(waiting);
            self.count_not_kept();
            return false;
        }
        let was_full = waiting.bytes >= self.limit / 2;
        waiting.bytes = filled;
        waiting.items.push((item, bytes));
        self.accepted.fetch_add(1, Ordering::Relaxed);
        !was_full && filled >= self.limit / 2
    }

    pub(super) fn take(&self) -> Items<T> {
        let mut waiting = self.lock();
        waiting.bytes = 0;
        mem::take(&mut waiting.items)
    }

    pub(super) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Returns how many items have been added so far.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(super) fn count_not_kept(&self) {
        self.not_kept.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn not_kept(&self) -> u64 {
        self.not_kept.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_beyond_the_limit_are_counted() {
        let inbox = Inbox::new(10);
        assert_eq!(
            [1, 2, 3, 4].map(|item| inbox.push(item, 4)),
            [false, true, false, false]
        );
        assert_eq!((inbox.bytes(), inbox.not_kept()), (8, 2));
        assert_eq!(inbox.take(), [(1, 4), (2, 4)]);
        assert_eq!((inbox.bytes(), inbox.take().len()), (0, 0));
    }
}
