//! The numbers behind one series of a histogram.
//!
//! Who writes where is as in `cell.rs`: the owner alone in a part of its own, all others in a second one, made when it is
//! needed; and once threads were seen to write at the same moment, each in a stripe of its own.
//!
//! A reading that happens while values are recorded may have a value in its bucket and not yet in the sum, or the other
//! way round. Nothing is lost: a later reading has it in both.

use std::sync::Arc;

use super::{
    buckets::Buckets,
    cell::{Number, add_alone, try_add},
    distribution::Distribution,
    sync::{AtomicU64, OnceLock, Ordering, Owner, stripe_count, thread_number},
};

/// A number that is counted in buckets.
pub trait Measure: Number + PartialOrd {
    /// No number is greater.
    const GREATEST: Self;
    /// No number is less.
    const LEAST: Self;

    /// As it is compared with boundaries.
    fn as_f64(self) -> f64;
}

impl Measure for f64 {
    const GREATEST: Self = f64::INFINITY;
    const LEAST: Self = f64::NEG_INFINITY;

    fn as_f64(self) -> f64 {
        self
    }
}

impl Measure for u64 {
    const GREATEST: Self = u64::MAX;
    const LEAST: Self = 0;

    #[allow(clippy::cast_precision_loss, reason = "boundaries are f64")]
    fn as_f64(self) -> f64 {
        self as f64
    }
}

/// How many values there were in each bucket, with their sum and extremes.
#[derive(Debug)]
#[repr(C)]
pub struct HistogramCell<T> {
    owner: Owner,
    buckets: Arc<Buckets>,
    own: Part<T>,
    shared: OnceLock<Box<Part<T>>>,
    stripes: OnceLock<Box<[Stripe<T>]>>,
}

/// What some of the threads recorded.
#[derive(Debug)]
struct Part<T> {
    sum: AtomicU64,
    least: AtomicU64,
    greatest: AtomicU64,
    counts: Box<[AtomicU64]>,
    number: std::marker::PhantomData<T>,
}

/// Two cache lines: processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
struct Stripe<T>(Part<T>);

/// The parts put together.
struct Total<T> {
    counts: Vec<u64>,
    sum: T,
    extremes: [T; 2],
}

impl<T: Measure> HistogramCell<T> {
    /// A histogram that belongs to this thread.
    pub(crate) fn new(buckets: Arc<Buckets>) -> Self {
        Self {
            owner: Owner::this_thread(),
            own: Part::new(buckets.len()),
            buckets,
            shared: OnceLock::new(),
            stripes: OnceLock::new(),
        }
    }

    #[inline]
    pub(crate) fn record(&self, value: T) {
        let bucket = self.buckets.find(value.as_f64());
        if self.owner.is_this_thread() {
            self.own.record_alone(bucket, value);
        } else {
            self.record_shared(bucket, value);
        }
    }

    /// What was recorded until now. Of values that are recorded meanwhile, some are in it.
    pub(crate) fn read(&self) -> Distribution {
        let mut all = Total {
            counts: vec![0; self.buckets.len()],
            sum: T::from_bits(0),
            extremes: [T::GREATEST, T::LEAST],
        };
        self.own.add_to(&mut all);
        if let Some(shared) = self.shared.get() {
            shared.add_to(&mut all);
        }
        for stripe in self.stripes.get().into_iter().flatten() {
            stripe.0.add_to(&mut all);
        }
        let some = all.counts.iter().any(|count| *count > 0);
        Distribution {
            boundaries: Arc::clone(self.buckets.boundaries()),
            counts: all.counts,
            sum: all.sum.as_f64(),
            extremes: some.then(|| all.extremes.map(T::as_f64)),
        }
    }

    /// Records where this thread is not the only one to write. Meeting another is what stripes are made for.
    #[inline(never)]
    fn record_shared(&self, bucket: usize, value: T) {
        if let Some(stripes) = self.stripes.get() {
            return record_in_stripe(stripes, bucket, value);
        }
        let buckets = self.buckets.len();
        let shared = self.shared.get_or_init(|| Box::new(Part::new(buckets)));
        let owned = self.own.sum.load(Ordering::Relaxed);
        if !shared.try_record(bucket, value) && !shared.try_record(bucket, value) {
            record_in_stripe(self.make_stripes(), bucket, value);
        } else if self.own.sum.load(Ordering::Relaxed) != owned {
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
            least: AtomicU64::new(T::GREATEST.to_bits()),
            greatest: AtomicU64::new(T::LEAST.to_bits()),
            counts: (0..buckets).map(|_| AtomicU64::new(0)).collect(),
            number: std::marker::PhantomData,
        }
    }

    /// Records where no other thread does.
    #[inline]
    fn record_alone(&self, bucket: usize, value: T) {
        add_alone(&self.sum, value);
        add_alone(&self.counts[bucket], 1_u64);
        if value < load(&self.least) {
            self.least.store(value.to_bits(), Ordering::Relaxed);
        }
        if value > load(&self.greatest) {
            self.greatest.store(value.to_bits(), Ordering::Relaxed);
        }
    }

    /// Records, unless another thread records in that very moment.
    #[inline]
    fn try_record(&self, bucket: usize, value: T) -> bool {
        if !try_add(&self.sum, value) {
            return false;
        }
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        replace(&self.least, value, |value, least| value < least);
        replace(&self.greatest, value, |value, greatest| value > greatest);
        true
    }

    fn add_to(&self, all: &mut Total<T>) {
        for (all, count) in all.counts.iter_mut().zip(&self.counts) {
            *all += count.load(Ordering::Relaxed);
        }
        all.sum = all.sum.plus(load(&self.sum));
        let [least, greatest] = [load(&self.least), load(&self.greatest)];
        if least < all.extremes[0] {
            all.extremes[0] = least;
        }
        if greatest > all.extremes[1] {
            all.extremes[1] = greatest;
        }
    }
}

#[inline]
fn record_in_stripe<T: Measure>(stripes: &[Stripe<T>], bucket: usize, value: T) {
    let own = &stripes[thread_number() % stripes.len()].0;
    while !own.try_record(bucket, value) {}
}

#[inline]
fn load<T: Number>(from: &AtomicU64) -> T {
    T::from_bits(from.load(Ordering::Relaxed))
}

/// Replaces a number as long as the value goes before it.
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

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    fn histogram() -> HistogramCell<f64> {
        HistogramCell::new(Buckets::new(&[1.0, 2.0, 4.0]).into())
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_that_it_ends() {
        let histogram = histogram();
        [0.5, 1.0, 1.5, 2.0, 4.0, 4.5, 100.0]
            .into_iter()
            .for_each(|value| histogram.record(value));
        let all = histogram.read();
        assert_eq!(all.counts, [2, 2, 1, 2]);
        assert_eq!(all.extremes, Some([0.5, 100.0]));
        assert!((all.sum - 113.5).abs() < f64::EPSILON);
    }

    #[test]
    fn nothing_recorded_has_no_extremes() {
        let all = histogram().read();
        assert_eq!((all.counts.as_slice(), all.extremes), (&[0; 4][..], None));
    }

    #[test]
    fn integers_are_counted_too() {
        let histogram = HistogramCell::<u64>::new(Buckets::new(&[10.0]).into());
        [0, 10, 11]
            .into_iter()
            .for_each(|value| histogram.record(value));
        let all = histogram.read();
        assert_eq!((all.count(), all.extremes), (3, Some([0.0, 11.0])));
        assert_eq!(all.counts, [2, 1]);
    }

    #[test]
    fn nothing_is_lost_where_threads_meet() {
        let (histogram, start) = (histogram(), Barrier::new(4));
        let record = |times: usize| {
            for value in [0.5, 1.5, 3.0, 8.0].into_iter().cycle().take(times) {
                histogram.record(value);
            }
        };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    start.wait();
                    record(40_000);
                });
            }
            // The owner takes part.
            start.wait();
            record(40_000);
        });
        let all = histogram.read();
        assert_eq!(all.counts, [40_000; 4]);
        assert!((all.sum - 13.0 * 40_000.0).abs() < f64::EPSILON);
        assert_eq!(all.extremes, Some([0.5, 8.0]));
    }

    #[test]
    fn all_parts_are_read() {
        let histogram = histogram();
        histogram.record(0.5);
        thread::scope(|scope| {
            scope.spawn(|| histogram.record(1.5));
        });
        assert!(histogram.stripes.get().is_none(), "nobody has met");
        histogram.make_stripes();
        histogram.record(3.0);
        assert_eq!(histogram.own.counts[2].load(Ordering::Relaxed), 0);
        assert_eq!(histogram.read().counts, [1, 1, 1, 0]);
    }
}
