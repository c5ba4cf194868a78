//! The cell of a histogram.
//!
//! Threads share it as in `cell.rs`: the owner records in one part, other threads in a second one, created on first
//! use, and on contention each thread records in a stripe of its own.
//!
//! A read during a record may have the value in the bucket and not yet in the sum, or the other way round. A later read
//! has both.

use std::sync::Arc;

use super::{
    buckets::Buckets,
    cell::{Number, add_alone, try_add},
    distribution::Distribution,
    sync::{AtomicU64, OnceLock, Ordering, Owner, stripe_count, thread_number},
};

/// A value of a histogram.
pub trait Measure: Number + PartialOrd {
    /// Minimum of no values: not less than any value.
    const EMPTY_MIN: Self;
    /// Maximum of no values: not greater than any value.
    const EMPTY_MAX: Self;

    /// Returns the number that is compared with boundaries.
    fn as_f64(self) -> f64;
}

impl Measure for f64 {
    const EMPTY_MIN: Self = f64::INFINITY;
    const EMPTY_MAX: Self = f64::NEG_INFINITY;

    fn as_f64(self) -> f64 {
        self
    }
}

impl Measure for u64 {
    const EMPTY_MIN: Self = u64::MAX;
    const EMPTY_MAX: Self = 0;

    #[allow(clippy::cast_precision_loss, reason = "boundaries are f64")]
    fn as_f64(self) -> f64 {
        self as f64
    }
}

/// The cell of a histogram: the number of values in each bucket, their sum, minimum and maximum.
#[derive(Debug)]
#[repr(C)]
pub struct HistogramCell<T> {
    owner: Owner,
    buckets: Arc<Buckets>,
    owned: Part<T>,
    shared: OnceLock<Box<Part<T>>>,
    stripes: OnceLock<Box<[Stripe<T>]>>,
}

/// The values of some of the threads.
#[derive(Debug)]
struct Part<T> {
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
    counts: Box<[AtomicU64]>,
    number: std::marker::PhantomData<T>,
}

/// Aligned to two cache lines, because processors prefetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe<T>(Part<T>);

struct Total<T> {
    counts: Vec<u64>,
    sum: T,
    extremes: [T; 2],
}

impl<T: Measure> HistogramCell<T> {
    /// Creates a histogram that this thread owns.
    pub(crate) fn new(buckets: Arc<Buckets>) -> Self {
        Self {
            owner: Owner::this_thread(),
            owned: Part::new(buckets.len()),
            buckets,
            shared: OnceLock::new(),
            stripes: OnceLock::new(),
        }
    }

    #[inline]
    pub(crate) fn record(&self, value: T) {
        let bucket = self.buckets.find(value.as_f64());
        if self.owner.is_this_thread() {
            self.owned.record_alone(bucket, value);
        } else {
            self.record_shared(bucket, value);
        }
    }

    /// Returns the recorded values. Concurrent records may or may not be included.
    pub(crate) fn read(&self) -> Distribution {
        let mut all = Total {
            counts: vec![0; self.buckets.len()],
            sum: T::from_bits(0),
            extremes: [T::EMPTY_MIN, T::EMPTY_MAX],
        };
        self.owned.add_to(&mut all);
        if let Some(shared) = self.shared.get() {
            shared.add_to(&mut all);
        }
        for stripe in self.stripes.get().into_iter().flatten() {
            stripe.0.add_to(&mut all);
        }
        let count = all.counts.iter().sum();
        Distribution {
            boundaries: Arc::clone(self.buckets.boundaries()),
            counts: all.counts,
            count,
            sum: all.sum.as_f64().into(),
            extremes: (count > 0).then(|| all.extremes.map(T::as_f64)),
        }
    }

    /// Records on a thread that is not the owner. Contention with another writer stripes the histogram.
    #[inline(never)]
    fn record_shared(&self, bucket: usize, value: T) {
        if let Some(stripes) = self.stripes.get() {
            return record_in_stripe(stripes, bucket, value);
        }
        let buckets = self.buckets.len();
        let shared = self.shared.get_or_init(|| Box::new(Part::new(buckets)));
        let owned = self.owned.sum.load(Ordering::Relaxed);
        if !shared.try_record(bucket, value) && !shared.try_record(bucket, value) {
            record_in_stripe(self.make_stripes(), bucket, value);
        } else if self.owned.sum.load(Ordering::Relaxed) != owned {
            self.make_stripes();
        }
    }

    #[cold]
    fn make_stripes(&self) -> &[Stripe<T>] {
        let stripes = self.stripes.get_or_init(|| {
            let buckets = self.buckets.len();
            let stripes = 0..stripe_count();
            stripes.map(|_| Stripe(Part::new(buckets))).collect()
        });
        self.owner.resign();
        stripes
    }
}

impl<T: Measure> Part<T> {
    fn new(buckets: usize) -> Self {
        Self {
            sum: AtomicU64::new(0),
            min: AtomicU64::new(T::EMPTY_MIN.to_bits()),
            max: AtomicU64::new(T::EMPTY_MAX.to_bits()),
            counts: (0..buckets).map(|_| AtomicU64::new(0)).collect(),
            number: std::marker::PhantomData,
        }
    }

    /// Records in a part that no other thread writes.
    #[inline]
    fn record_alone(&self, bucket: usize, value: T) {
        add_alone(&self.sum, value);
        add_alone(&self.counts[bucket], 1_u64);
        if value < load(&self.min) {
            self.min.store(value.to_bits(), Ordering::Relaxed);
        }
        if value > load(&self.max) {
            self.max.store(value.to_bits(), Ordering::Relaxed);
        }
    }

    /// Records once; returns `false` if another thread recorded in between.
    #[inline]
    fn try_record(&self, bucket: usize, value: T) -> bool {
        if !try_add(&self.sum, value) {
            return false;
        }
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        replace(&self.min, value, |value, min| value < min);
        replace(&self.max, value, |value, max| value > max);
        true
    }

    fn add_to(&self, all: &mut Total<T>) {
        for (all, count) in all.counts.iter_mut().zip(&self.counts) {
            *all += count.load(Ordering::Relaxed);
        }
        all.sum = all.sum.plus(load(&self.sum));
        let [min, max] = [load(&self.min), load(&self.max)];
        if min < all.extremes[0] {
            all.extremes[0] = min;
        }
        if max > all.extremes[1] {
            all.extremes[1] = max;
        }
    }
}

#[inline]
fn record_in_stripe<T: Measure>(stripes: &[Stripe<T>], bucket: usize, value: T) {
    let stripe = &stripes[thread_number() % stripes.len()].0;
    while !stripe.try_record(bucket, value) {}
}

#[inline]
fn load<T: Number>(from: &AtomicU64) -> T {
    T::from_bits(from.load(Ordering::Relaxed))
}

/// Replaces a number by `value` if `before(value, number)`.
#[inline]
fn replace<T: Number>(number: &AtomicU64, value: T, before: impl Fn(T, T) -> bool) {
    let mut seen = number.load(Ordering::Relaxed);
    while before(value, T::from_bits(seen)) {
        let replaced =
            number.compare_exchange(seen, value.to_bits(), Ordering::Relaxed, Ordering::Relaxed);
        match replaced {
            Ok(_) => return,
            Err(newer) => seen = newer,
        }
    }
}
