//! What lock-free code stands on. The tests in `loom/` compile the same code on loom's primitives instead.

pub(crate) use once_cell::race::{OnceBox, OnceRef};
pub(crate) use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use std::{cell::Cell, num::NonZeroUsize, thread::available_parallelism};

/// The thread that something belongs to, unless it has resigned.
#[derive(Debug)]
pub(crate) struct Owner(AtomicUsize);

impl Owner {
    pub(crate) fn this_thread() -> Self {
        Self(AtomicUsize::new(thread_number()))
    }

    /// Numbers are not given twice: when the owner has ended, this is true on no thread.
    #[inline]
    pub(crate) fn is_this_thread(&self) -> bool {
        NUMBER.get() == self.0.load(Ordering::Relaxed)
    }

    /// From some moment on, this is no thread's any more. The owner may take notice a little later.
    pub(crate) fn resign(&self) {
        self.0.store(NOBODY, Ordering::Relaxed);
    }
}

/// No thread's number.
const NOBODY: usize = usize::MAX - 1;

/// A number of this thread: those that start one after the other have different ones.
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

/// In how many stripes a contended sum is kept: twice as many as there are processors, so that threads seldom share one,
/// and not more than 16.
pub(crate) fn stripe_count() -> usize {
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    (processors * 2).next_power_of_two().clamp(4, 16)
}
