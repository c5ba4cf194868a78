//! Primitives of the lock-free code. The tests in `loom/` replace this file by one with loom's.

pub(crate) use once_cell::race::{OnceBox, OnceRef};
pub(crate) use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use std::{cell::Cell, num::NonZeroUsize, thread::available_parallelism};

/// The thread that may write without read-modify-write operations, until [`resign`](Self::resign).
#[derive(Debug)]
pub(crate) struct Owner(AtomicUsize);

impl Owner {
    pub(crate) fn this_thread() -> Self {
        Self(AtomicUsize::new(thread_number()))
    }

    /// Whether this thread is the owner. Thread numbers are not reused, so after the owner has ended no thread is.
    #[inline]
    pub(crate) fn is_this_thread(&self) -> bool {
        NUMBER.get() == self.0.load(Ordering::Relaxed)
    }

    /// Ends the ownership. The owner may observe it a little later.
    pub(crate) fn resign(&self) {
        self.0.store(NO_THREAD, Ordering::Relaxed);
    }
}

const NO_THREAD: usize = usize::MAX - 1;

/// Returns the number of this thread. Numbers are assigned consecutively.
#[inline]
pub(crate) fn thread_number() -> usize {
    match NUMBER.get() {
        UNNUMBERED => give_number(),
        number => number,
    }
}

#[cold]
fn give_number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NUMBER.set(NEXT.fetch_add(1, Ordering::Relaxed));
    NUMBER.get()
}

const UNNUMBERED: usize = usize::MAX;

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(UNNUMBERED) };
}

/// How often a reader tries what is being written.
pub(crate) const READ_ATTEMPTS: usize = 3;

/// Returns the number of stripes of a contended cell: twice the number of processors, so that threads rarely share one,
/// and 4 to 16.
pub(crate) fn stripe_count() -> usize {
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    (processors * 2).next_power_of_two().clamp(4, 16)
}
