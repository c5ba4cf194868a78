//! The number behind one series of a counter or gauge.
//!
//! # Who writes where
//!
//! A sum belongs to the thread that made it, its owner, which adds with a plain load and store: nobody else writes there.
//! All others share a second atomic. When threads are seen to write at the same moment, each gets a stripe of its own, on
//! a cache line of its own, and the first two are left as they are: nobody is the owner any more. The sum is put together
//! when it is read.

use std::{fmt, marker::PhantomData};

use super::sync::{AtomicU64, OnceBox, Ordering, Owner, stripe_count, thread_number};

/// A number that fits into an atomic.
pub trait Number: Copy + Send + Sync + fmt::Debug + 'static {
    /// As 64 bits; zero has none set.
    fn to_bits(self) -> u64;
    /// The number of these bits.
    fn from_bits(bits: u64) -> Self;
    /// The sum; integers wrap.
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

/// The last number that was set.
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

/// A sum that many threads add to.
#[derive(Debug)]
#[repr(C)]
pub struct Sum<T> {
    owner: Owner,
    /// What the owner added.
    own: AtomicU64,
    stripes: OnceBox<Box<[Stripe]>>,
    /// What others added before there were stripes.
    shared: AtomicU64,
    number: PhantomData<T>,
}

/// Two cache lines: processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe(AtomicU64);

impl<T: Number> Sum<T> {
    /// A sum that belongs to this thread.
    pub(crate) fn new() -> Self {
        Self {
            owner: Owner::this_thread(),
            own: AtomicU64::new(0),
            stripes: OnceBox::new(),
            shared: AtomicU64::new(0),
            number: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn add(&self, value: T) {
        if self.owner.is_this_thread() {
            add_alone(&self.own, value);
        } else {
            self.add_shared(value);
        }
    }

    /// What was added until now. Of additions that happen meanwhile, some are in it.
    pub(crate) fn get(&self) -> T {
        let first = [&self.own, &self.shared];
        let stripes = self.stripes.get().into_iter().flatten();
        let parts = first.into_iter().chain(stripes.map(|stripe| &stripe.0));
        parts.fold(T::from_bits(0), |sum, part| {
            sum.plus(T::from_bits(part.load(Ordering::Relaxed)))
        })
    }

    /// Adds where this thread is not the only one to write. Meeting another is what stripes are made for.
    #[inline(never)]
    fn add_shared(&self, value: T) {
        if let Some(stripes) = self.stripes.get() {
            return add_to_stripe(stripes, value);
        }
        let owned = self.own.load(Ordering::Relaxed);
        if !try_add(&self.shared, value) && !try_add(&self.shared, value) {
            add_to_stripe(self.make_stripes(), value);
        } else if self.own.load(Ordering::Relaxed) != owned {
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

/// Adds to what no other thread writes.
#[inline]
pub(crate) fn add_alone<T: Number>(to: &AtomicU64, value: T) {
    let sum = T::from_bits(to.load(Ordering::Relaxed)).plus(value);
    to.store(sum.to_bits(), Ordering::Relaxed);
}

/// Adds, unless another thread writes in that very moment.
#[inline]
pub(crate) fn try_add<T: Number>(to: &AtomicU64, value: T) -> bool {
    let seen = to.load(Ordering::Relaxed);
    let sum = T::from_bits(seen).plus(value).to_bits();
    to.compare_exchange(seen, sum, Ordering::Relaxed, Ordering::Relaxed)
        .is_ok()
}

#[inline]
fn add_to_stripe<T: Number>(stripes: &[Stripe], value: T) {
    let own = &stripes[thread_number() % stripes.len()].0;
    while !try_add(own, value) {}
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    /// Adds on four threads at once, so often that they meet.
    fn summed<T: Number>(value: T, times: usize) -> T {
        let (sum, start) = (Sum::new(), Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    (0..times).for_each(|_| sum.add(value));
                });
            }
        });
        sum.get()
    }

    #[test]
    fn nothing_is_lost_where_threads_meet() {
        assert_eq!(summed(3_u64, 50_000), 600_000);
        assert_eq!(summed(-3_i64, 50_000), -600_000);
        // A sum of halves is exact.
        assert!((summed(0.5_f64, 50_000) - 100_000.0).abs() < f64::EPSILON);
    }

    #[test]
    fn a_sum_that_is_added_to_by_stripes_is_the_sum_of_all() {
        let sum = Sum::<u64>::new();
        sum.add(1);
        thread::scope(|scope| {
            scope.spawn(|| sum.add(10));
        });
        assert!(sum.stripes.get().is_none(), "nobody has met");
        sum.make_stripes();
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| sum.add(100));
            }
        });
        sum.add(1_000);
        assert_eq!(sum.get(), 3_011);
        assert_eq!(sum.own.load(Ordering::Relaxed), 1);
        assert_eq!(sum.shared.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn the_last_value_is_kept() {
        let last = Last::<i64>::new();
        last.set(5);
        last.set(-7);
        assert_eq!(last.get(), -7);
    }
}
