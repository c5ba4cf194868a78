//! Observable metrics, whose values a callback reports at each collection.

use std::{
    any::Any,
    collections::BTreeSet,
    fmt,
    hash::BuildHasher,
    marker::PhantomData,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::fast::RandomState;

use opentelemetry::{KeyValue, metrics::Meter};

use super::{
    Declaration, MAX_LABEL_VALUE_BYTES, NONE, OTHER,
    callbacks::{self, ReadAhead},
    collection, naming,
    registered::{InstallContext, Readable, RegisteredMetric, ViewOutcome},
};
use crate::lifecycle::{self, Stage};

static SET_HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// Reports the current values: calls back once for each label set.
pub type Observe<T, const N: usize> = fn(&mut dyn FnMut([&str; N], T));

/// An observable metric with `N` labels. Created by the macro [`metrics`](macro@crate::metrics).
pub struct Observable<I: ObservableInstrument, const N: usize> {
    declaration: &'static Declaration,
    observe: Observe<I::Value, N>,
    /// Hashes of all label sets reported so far. The SDK never forgets one, so the series limit is on all of them.
    reported: Mutex<BTreeSet<u64>>,
    dropped: AtomicU64,
}

impl<I: ObservableInstrument, const N: usize> Observable<I, N> {
    /// Creates the metric that `observe` reports.
    ///
    /// # Panics
    ///
    /// At compile time, when the declaration does not have `N` labels.
    pub const fn new(declaration: &'static Declaration, observe: Observe<I::Value, N>) -> Self {
        assert!(declaration.labels.len() == N, "one label for each value");
        Self {
            declaration,
            observe,
            reported: Mutex::new(BTreeSet::new()),
            dropped: AtomicU64::new(0),
        }
    }

    /// Reports the values. Label sets beyond the series limit are dropped and counted.
    ///
    /// Catches a panic of the callback: unwinding through the SDK would break every later collection.
    fn observe(&self, report: &mut dyn FnMut(I::Value, &[KeyValue])) {
        if !matches!(lifecycle::stage(), Stage::Running | Stage::Stopping) {
            return;
        }
        let limit = self.declaration.series_limit();
        let mut each = |labels: [&str; N], value| {
            let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
            let set = SET_HASHER.hash_one(labels);
            if reported.contains(&set) || (reported.len() < limit && reported.insert(set)) {
                drop(reported);
                report(value, &attributes(self.declaration, labels));
            } else {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        };
        let read = catch_unwind(AssertUnwindSafe(|| (self.observe)(&mut each)));
        if read.is_err() {
            callbacks::panicked();
        }
    }
}

// The SDK collects observables, so there is nothing to read.
impl<I: ObservableInstrument, const N: usize> Readable for Observable<I, N> {
    fn declaration(&self) -> &'static Declaration {
        naming::in_effect(self.declaration)
    }
}

impl<I: ObservableInstrument, const N: usize> RegisteredMetric for Observable<I, N> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn install(&'static self, context: &InstallContext<'_>) {
        let declaration = self.declaration();
        if let ViewOutcome::Dropped = (context.view)(declaration) {
            return;
        }
        let observe = |report: &mut dyn FnMut(I::Value, &[KeyValue])| self.observe(report);
        let observe: Read<I::Value> = match naming::is_built_in(declaration) {
            true => Box::new(observe),
            false => read_ahead(declaration.name.to_owned(), move || {
                let mut values = Vec::new();
                observe(&mut |value, labels| values.push((value, labels.to_vec())));
                values
            }),
        };
        I::create(context.meter, declaration, observe);
    }

    fn observations_dropped(&self) -> Option<u64> {
        let reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        (N > 0 && !reported.is_empty()).then(|| self.dropped.load(Ordering::Relaxed))
    }
}

impl<I: ObservableInstrument, const N: usize> fmt::Debug for Observable<I, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observable")
            .field(&self.declaration.name)
            .finish()
    }
}

/// A kind of observable instrument with the type of its value.
pub trait ObservableInstrument: 'static {
    /// Type of an observed value.
    type Value: Copy + Send + 'static;

    /// Creates the instrument.
    fn create(meter: &Meter, declaration: &'static Declaration, read: Read<Self::Value>);
}

/// Reports every current value with its labels.
pub type Read<T> = Box<dyn Fn(&mut dyn FnMut(T, &[KeyValue])) + Send + Sync>;

/// Returns a callback that reports the values that `read` returned before the collection, on a thread of its own;
/// nothing while `read` hangs.
pub(super) fn read_ahead<T: Copy + Send + 'static>(
    name: String,
    read: impl Fn() -> Vec<(T, Vec<KeyValue>)> + Send + Sync + 'static,
) -> Read<T> {
    let values = ReadAhead::new(name, read);
    collection::add_observation(Arc::clone(&values.callback));
    Box::new(move |report| {
        if values.callback.hangs() {
            return;
        }
        for (value, labels) in values.latest().iter().flatten() {
            report(*value, labels);
        }
    })
}

/// Marks an observable gauge of `i64`, `u64` or `f64`.
#[derive(Debug)]
pub struct ObservableGauge<T>(PhantomData<fn(T)>);

/// Marks an observable counter of `u64` or `f64`.
#[derive(Debug)]
pub struct ObservableCounter<T>(PhantomData<fn(T)>);

/// Implements [`ObservableInstrument`] for one kind and one type of value.
macro_rules! observable {
    ($marker:ident<$value:ty>: $build:ident) => {
        impl ObservableInstrument for $marker<$value> {
            type Value = $value;

            fn create(meter: &Meter, declaration: &'static Declaration, read: Read<$value>) {
                // The meter keeps the callback; the handle does nothing.
                let _ = meter
                    .$build(declaration.name)
                    .with_description(declaration.help)
                    .with_unit(declaration.unit)
                    .with_callback(move |observer| {
                        read(&mut |value, labels| observer.observe(value, labels))
                    })
                    .build();
            }
        }
    };
}

observable!(ObservableGauge<i64>: i64_observable_gauge);
observable!(ObservableGauge<u64>: u64_observable_gauge);
observable!(ObservableGauge<f64>: f64_observable_gauge);
observable!(ObservableCounter<u64>: u64_observable_counter);
observable!(ObservableCounter<f64>: f64_observable_counter);

fn attributes<const N: usize>(
    declaration: &'static Declaration,
    labels: [&str; N],
) -> [KeyValue; N] {
    std::array::from_fn(|i| {
        let value = match labels[i] {
            "" => NONE,
            huge if huge.len() > MAX_LABEL_VALUE_BYTES => OTHER,
            value => value,
        };
        KeyValue::new(declaration.labels[i].name, value.to_owned())
    })
}
