//! Loom's primitives under the names of the standard library's.

use std::cell::Cell;

pub(super) use loom::sync::{
    Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
pub(super) use std::sync::PoisonError;

use loom::sync::atomic::AtomicBool;

/// Loom has none. Whether the value can be seen is a flag of loom's, written and read with the orderings that the
/// standard library promises; loom runs one thread at a time, so the value itself can lie in the standard one.
#[derive(Debug)]
pub(super) struct OnceLock<T> {
    filled: AtomicBool,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(super) fn new() -> Self {
        Self {
            filled: AtomicBool::new(false),
            value: std::sync::OnceLock::new(),
        }
    }

    pub(super) fn get(&self) -> Option<&T> {
        if self.filled.load(Ordering::Acquire) {
            self.value.get()
        } else {
            None
        }
    }

    pub(super) fn set(&self, value: T) -> Result<(), T> {
        self.value.set(value)?;
        self.filled.store(true, Ordering::Release);
        Ok(())
    }

    pub(super) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let value = self.value.get_or_init(make);
        self.filled.swap(true, Ordering::AcqRel);
        value
    }
}

/// A reference that is set once, as above.
#[derive(Debug)]
pub(super) struct OnceRef<'a, T>(OnceLock<&'a T>);

impl<'a, T> OnceRef<'a, T> {
    pub(super) fn new() -> Self {
        Self(OnceLock::new())
    }

    pub(super) fn get(&self) -> Option<&'a T> {
        self.0.get().copied()
    }

    pub(super) fn set(&self, value: &'a T) -> Result<(), ()> {
        self.0.set(value).map_err(|_| ())
    }
}

/// A value in a box that is set once, as above.
#[derive(Debug)]
pub(super) struct OnceBox<T>(OnceLock<Box<T>>);

impl<T> OnceBox<T> {
    pub(super) fn new() -> Self {
        Self(OnceLock::new())
    }

    pub(super) fn get(&self) -> Option<&T> {
        self.0.get().map(|value| &**value)
    }

    pub(super) fn get_or_init(&self, make: impl FnOnce() -> Box<T>) -> &T {
        self.0.get_or_init(make)
    }
}

loom::lazy_static! {
    static ref NEXT: AtomicUsize = AtomicUsize::new(0);
}

loom::thread_local! {
    static OWN: Cell<usize> = Cell::new(usize::MAX);
}

/// The thread that something belongs to, unless it has resigned.
#[derive(Debug)]
pub(super) struct Owner(AtomicUsize);

impl Owner {
    pub(super) fn this_thread() -> Self {
        Self(AtomicUsize::new(thread_number()))
    }

    pub(super) fn is_this_thread(&self) -> bool {
        thread_number() == self.0.load(Ordering::Relaxed)
    }

    pub(super) fn resign(&self) {
        self.0.store(usize::MAX, Ordering::Relaxed);
    }
}

pub(super) fn thread_number() -> usize {
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        own.get()
    })
}

/// One, which a second attempt does not differ from.
pub(super) const READ_ATTEMPTS: usize = 1;

/// One, so that threads meet there too.
pub(super) fn stripe_count() -> usize {
    1
}
