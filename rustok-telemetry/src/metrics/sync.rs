//! What lock-free code stands on. The tests in `loom/` compile the same code on loom's primitives instead.

pub(super) use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
use std::{cell::Cell, num::NonZeroUsize, thread::available_parallelism};

/// A number of this thread: those that start one after the other have different ones.
#[inline]
pub(super) fn thread_number() -> usize {
    const NONE: usize = usize::MAX;
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = const { Cell::new(NONE) };
    }
    OWN.with(|own| {
        if own.get() == NONE {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        own.get()
    })
}

/// In how many stripes a contended sum is kept: twice as many as there are processors, so that threads seldom share one,
/// and not more than 16.
pub(super) fn stripe_count() -> usize {
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    (processors * 2).next_power_of_two().clamp(4, 16)
}
