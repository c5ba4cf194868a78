//! The cells of counters and gauges.
//!
//! # Threads and atomics
//!
//! The thread that creates a sum owns it and adds to an atomic of its own with a plain load and store. All other
//! threads share a second atomic. On contention the sum is striped: the owner resigns, and each thread adds to a stripe
//! on a cache line of its own. A read sums all of them.

use std::{fmt, marker::PhantomData};

use super::sync::{AtomicU64, OnceBox, Ordering, Owner, stripe_count, thread_number};

/// A number that fits into an atomic.
pub trait Number: Copy + Send + Sync + fmt::Debug + 'static {
    /// Returns the bits of the number, which are 0 for zero.
    fn to_bits(self) -> u64;
    /// Returns the number with these bits.
    fn from_bits(bits: u64) -> Self;
    /// Returns the sum; integers wrap.
    #[must_use]
    fn plus(self, other: Self) -> Self;
}

macro_rules! integer {
    ($integer:ty) => {
        impl Number for $integer {
            fn to_bits(self) -> u64 {
                u64::from_ne_bytes(self.to_ne_bytes())
            }

            fn from_bits(bits: u64) -> Self {
                Self::from_ne_bytes(bits.to_ne_bytes())
            }

            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    };
}

integer!(u64);
integer!(i64);

impl Number for f64 {
    fn to_bits(self) -> u64 {
        self.to_bits()
    }

    fn from_bits(bits: u64) -> Self {
        Self::from_bits(bits)
    }

    fn plus(self, other: Self) -> Self {
        self + other
    }
}

/// The cell of a gauge: the last value.
#[derive(Debug)]
pub struct Last<T>(AtomicU64, PhantomData<T>);

impl<T: Number> Last<T> {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0), PhantomData)
    }

    pub(crate) fn set(&self, value: T) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> T {
        T::from_bits(self.0.load(Ordering::Relaxed))
    }
}

/// The cell of a counter or an up-down counter: a sum that many threads add to.
#[derive(Debug)]
#[repr(C)]
pub struct Sum<T> {
    owner: Owner,
    /// Additions of the owner.
    owned: AtomicU64,
    stripes: OnceBox<Box<[Stripe]>>,
    /// Additions of other threads before the sum was striped.
    shared: AtomicU64,
    number: PhantomData<T>,
}

/// Aligned to two cache lines, because processors prefetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe(AtomicU64);

impl<T: Number> Sum<T> {
    /// Creates a sum that this thread owns.
    pub(crate) fn new() -> Self {
        Self {
            owner: Owner::this_thread(),
            owned: AtomicU64::new(0),
            stripes: OnceBox::new(),
            shared: AtomicU64::new(0),
            number: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn add(&self, value: T) {
        if self.owner.is_this_thread() {
            add_alone(&self.owned, value);
        } else {
            self.add_shared(value);
        }
    }

    /// Returns the sum. Concurrent additions may or may not be included.
    pub(crate) fn get(&self) -> T {
        let first = [&self.owned, &self.shared];
        let stripes = self.stripes.get().into_iter().flatten();
        let parts = first.into_iter().chain(stripes.map(|stripe| &stripe.0));
        parts.fold(T::from_bits(0), |sum, part| {
            sum.plus(T::from_bits(part.load(Ordering::Relaxed)))
        })
    }

    /// Adds on a thread that is not the owner. Contention with another writer stripes the sum.
    #[inline(never)]
    fn add_shared(&self, value: T) {
        if let Some(stripes) = self.stripes.get() {
            return add_to_stripe(stripes, value);
        }
        let owned = self.owned.load(Ordering::Relaxed);
        if !try_add(&self.shared, value) && !try_add(&self.shared, value) {
            add_to_stripe(self.make_stripes(), value);
        } else if self.owned.load(Ordering::Relaxed) != owned {
            self.make_stripes();
        }
    }

    #[cold]
    fn make_stripes(&self) -> &[Stripe] {
        let stripes = self.stripes.get_or_init(|| {
            let stripes = stripe_count();
            Box::new((0..stripes).map(|_| Stripe(AtomicU64::new(0))).collect())
        });
        self.owner.resign();
        stripes
    }
}

/// Adds to an atomic that no other thread writes.
#[inline]
pub(crate) fn add_alone<T: Number>(to: &AtomicU64, value: T) {
    let sum = T::from_bits(to.load(Ordering::Relaxed)).plus(value);
    to.store(sum.to_bits(), Ordering::Relaxed);
}

/// Adds once; returns `false` if another thread wrote in between.
#[inline]
pub(crate) fn try_add<T: Number>(to: &AtomicU64, value: T) -> bool {
    let seen = to.load(Ordering::Relaxed);
    let sum = T::from_bits(seen).plus(value).to_bits();
    to.compare_exchange(seen, sum, Ordering::Relaxed, Ordering::Relaxed)
        .is_ok()
}

#[inline]
fn add_to_stripe<T: Number>(stripes: &[Stripe], value: T) {
    let stripe = &stripes[thread_number() % stripes.len()].0;
    while !try_add(stripe, value) {}
}
