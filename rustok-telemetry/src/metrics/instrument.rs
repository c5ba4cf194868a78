//! Kinds of instruments: how each is created, and how the cell of a series is written and read.
//!
//! By default recorded values live in this crate's atomics, not in SDK instruments. See [`Storage`] for the exceptions.

use std::{marker::PhantomData, sync::Arc};

use opentelemetry::{
    KeyValue,
    metrics::{self as otel, Meter},
};

use super::{
    Declaration, current_span,
    store::{
        buckets::Buckets,
        cell::{Last, Sum},
        distribution::NumberValue,
        exemplars::Exemplars,
        histogram_cell::{HistogramCell, Measure},
        point::Point,
    },
};

/// A kind of instrument together with the type of its value.
///
/// Implemented for [`Counter`], [`Gauge`], [`UpDownCounter`] and [`Histogram`]; the macro names one in each
/// expansion.
pub trait Instrument: 'static {
    /// Type of a recorded value.
    type Value: Copy;
    /// The instrument, which creates the cells.
    type Handle: Send + Sync + 'static;
    /// The storage of one series.
    type Cell: Send + Sync + 'static;

    /// Creates the instrument. Only histograms use `boundaries`.
    fn create(
        declaration: &'static Declaration,
        storage: Storage<'_>,
        boundaries: &[f64],
    ) -> Self::Handle;
    /// Creates the cell of a label set.
    fn cell(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Cell;
    /// Records a value.
    fn write(cell: &Self::Cell, value: Self::Value);
    /// Returns the recorded value; `None` for a cell in the SDK.
    fn read(cell: &Self::Cell) -> Option<Point>;
    /// Returns the exemplars of counters and histograms, wherever the values are stored.
    fn exemplars(cell: &Self::Cell) -> Option<&Exemplars>;
    /// Returns why a value cannot be recorded, or `None` if it can.
    fn reject(value: Self::Value) -> Option<InvalidValue>;
}

/// Where the values of a metric are stored.
#[derive(Debug, Clone, Copy)]
pub enum Storage<'meter> {
    /// In this crate, with cumulative temporality.
    Native,
    /// In an SDK instrument, bound to each label set: for readers and views of the service, and for counters and
    /// histograms with the temporality preferences `delta` and `lowmemory`.
    Sdk(&'meter Meter),
}

/// Why a value was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidValue {
    /// NaN or an infinity.
    NotFinite,
    /// A negative value for a counter or a histogram, whose sums only go up.
    Negative,
}

/// Marks a counter of `u64` or `f64`.
#[derive(Debug)]
pub struct Counter<T>(PhantomData<fn(T)>);

/// Marks a gauge of `i64`, `u64` or `f64`.
#[derive(Debug)]
pub struct Gauge<T>(PhantomData<fn(T)>);

/// Marks an up-down counter of `i64` or `f64`.
#[derive(Debug)]
pub struct UpDownCounter<T>(PhantomData<fn(T)>);

/// Marks a histogram of `f64` or `u64`.
#[derive(Debug)]
pub struct Histogram<T>(PhantomData<fn(T)>);

/// The values of a series, by [`Storage`].
#[derive(Debug)]
pub enum Stored<Native, Sdk> {
    /// In this crate.
    Native(Native),
    /// In the SDK.
    Sdk(Sdk),
}

/// The cell of a series: its values, and their exemplars, which are always in this crate.
#[derive(Debug)]
#[repr(C)]
pub struct Measured<Native, Sdk, Kept> {
    stored: Stored<Native, Sdk>,
    exemplars: Kept,
}

/// Keeps a value as exemplar, then records it. Apart from the path without exemplars, which so has nothing to keep for
/// later.
#[inline(never)]
fn record_with_exemplar<Native, Sdk, Kept: KeepExemplars>(
    cell: &Measured<Native, Sdk, Kept>,
    value: f64,
    record: impl FnOnce(&Stored<Native, Sdk>),
) {
    cell.exemplars.keep(value);
    record(&cell.stored);
}

/// The exemplars of a cell.
pub(crate) trait KeepExemplars {
    /// Whether a value that this thread records now becomes an exemplar.
    #[inline]
    fn wanted() -> bool {
        current_span::wants_exemplar()
    }

    /// Keeps a value.
    fn keep(&self, value: f64);

    /// Returns what is kept; `None` for a kind without exemplars.
    fn kept(&self) -> Option<&Exemplars>;
}

/// Gauges and up-down counters have no exemplars.
#[derive(Debug)]
pub struct NoExemplars;

/// The exemplar of a counter.
#[derive(Debug)]
pub struct OneExemplar(Exemplars);

/// The exemplars of a histogram, one for each bucket.
#[derive(Debug)]
pub struct BucketExemplars(Exemplars, Arc<Buckets>);

impl KeepExemplars for NoExemplars {
    #[inline]
    fn wanted() -> bool {
        false
    }

    fn keep(&self, _: f64) {}

    fn kept(&self) -> Option<&Exemplars> {
        None
    }
}

impl KeepExemplars for OneExemplar {
    fn keep(&self, value: f64) {
        let Self(exemplars) = self;
        exemplars.store(0, 1, current_span::exemplar(value));
    }

    fn kept(&self) -> Option<&Exemplars> {
        Some(&self.0)
    }
}

impl KeepExemplars for BucketExemplars {
    fn keep(&self, value: f64) {
        let Self(exemplars, buckets) = self;
        let exemplar = current_span::exemplar(value);
        exemplars.store(buckets.find(value), buckets.len(), exemplar);
    }

    fn kept(&self) -> Option<&Exemplars> {
        Some(&self.0)
    }
}

/// Implements [`Instrument`] for a kind with a type of value.
macro_rules! instrument {
    (
        $marker:ident<$value:ty>: $reject:expr;
        native: $handle:ty = $create:expr, $cell:ty = $new:expr, $write:ident, $read:expr;
        exemplars: $kept:ty = $keep:expr;
        sdk: $bound:ident, $build:ident, $record:ident $(, $with_boundaries:ident)?
    ) => {
        impl Instrument for $marker<$value> {
            type Value = $value;
            // With an instrument of the SDK if the values are stored there.
            type Handle = ($handle, Option<otel::$marker<$value>>);
            type Cell = Measured<$cell, otel::$bound<$value>, $kept>;

            fn create(
                declaration: &'static Declaration,
                storage: Storage<'_>,
                boundaries: &[f64],
            ) -> Self::Handle {
                let sdk = match storage {
                    Storage::Native => None,
                    Storage::Sdk(meter) => Some(
                        meter
                            .$build(declaration.name)
                            $(.$with_boundaries(boundaries.to_vec()))?
                            .with_description(declaration.help)
                            .with_unit(declaration.unit)
                            .build(),
                    ),
                };
                ($create(boundaries), sdk)
            }

            fn cell((handle, sdk): &Self::Handle, labels: &[KeyValue]) -> Self::Cell {
                Measured {
                    stored: match sdk {
                        None => Stored::Native($new(handle)),
                        Some(sdk) => Stored::Sdk(sdk.bind(labels)),
                    },
                    exemplars: $keep(handle),
                }
            }

            #[inline]
            fn write(cell: &Self::Cell, value: $value) {
                let record = move |stored: &Stored<$cell, otel::$bound<$value>>| match stored {
                    Stored::Native(native) => native.$write(value),
                    Stored::Sdk(bound) => bound.$record(value),
                };
                match <$kept>::wanted() {
                    false => record(&cell.stored),
                    true => record_with_exemplar(cell, NumberValue::from(value).as_f64(), record),
                }
            }

            fn read(cell: &Self::Cell) -> Option<Point> {
                match &cell.stored {
                    Stored::Native(native) => Some($read(native)),
                    Stored::Sdk(_) => None,
                }
            }

            fn exemplars(cell: &Self::Cell) -> Option<&Exemplars> {
                cell.exemplars.kept()
            }

            #[inline]
            fn reject(value: $value) -> Option<InvalidValue> {
                $reject(value)
            }
        }
    };
}

/// Implements [`Instrument`] for sums and gauges, whose values are numbers.
macro_rules! number {
    ($marker:ident<$value:ty>: $cell:ident, $write:ident, $reject:expr; $kept:ty = $keep:expr; $($sdk:tt)*) => {
        instrument! {
            $marker<$value>: $reject;
            native: () = |_: &_| (), $cell<$value> = |_: &()| $cell::new(), $write, |cell: &$cell<$value>| {
                Point::Number(cell.get().into())
            };
            exemplars: $kept = |_: &()| $keep;
            sdk: $($sdk)*
        }
    };
}

/// Implements [`Instrument`] for counters.
macro_rules! counter {
    (<$value:ty>: $reject:expr; $build:ident) => {
        number!(Counter<$value>: Sum, add, $reject; OneExemplar = OneExemplar(Exemplars::new());
            BoundCounter, $build, add);
    };
}

/// Implements [`Instrument`] for histograms.
macro_rules! histogram {
    (<$value:ty>: $reject:expr; $build:ident) => {
        instrument! {
            Histogram<$value>: $reject;
            native: Arc<Buckets> = new_buckets, HistogramCell<$value> = new_histogram, record, read_histogram;
            exemplars: BucketExemplars = |buckets: &Arc<Buckets>| {
                BucketExemplars(Exemplars::new(), Arc::clone(buckets))
            };
            sdk: BoundHistogram, $build, record, with_boundaries
        }
    };
}

counter!(<u64>: accept; u64_counter);
counter!(<f64>: finite_and_not_negative; f64_counter);
number!(UpDownCounter<i64>: Sum, add, accept; NoExemplars = NoExemplars; BoundUpDownCounter, i64_up_down_counter, add);
number!(UpDownCounter<f64>: Sum, add, finite; NoExemplars = NoExemplars; BoundUpDownCounter, f64_up_down_counter, add);
number!(Gauge<i64>: Last, set, accept; NoExemplars = NoExemplars; BoundGauge, i64_gauge, record);
number!(Gauge<u64>: Last, set, accept; NoExemplars = NoExemplars; BoundGauge, u64_gauge, record);
number!(Gauge<f64>: Last, set, finite; NoExemplars = NoExemplars; BoundGauge, f64_gauge, record);
histogram!(<u64>: accept; u64_histogram);
histogram!(<f64>: finite_and_not_negative; f64_histogram);

fn new_buckets(boundaries: &[f64]) -> Arc<Buckets> {
    Arc::new(Buckets::new(boundaries))
}

fn new_histogram<T: Measure>(buckets: &Arc<Buckets>) -> HistogramCell<T> {
    HistogramCell::new(Arc::clone(buckets))
}

fn read_histogram<T: Measure>(cell: &HistogramCell<T>) -> Point {
    Point::Histogram(cell.read())
}

#[inline]
fn accept<T>(_: T) -> Option<InvalidValue> {
    None
}

#[inline]
fn finite(value: f64) -> Option<InvalidValue> {
    (!value.is_finite()).then_some(InvalidValue::NotFinite)
}

#[inline]
fn finite_and_not_negative(value: f64) -> Option<InvalidValue> {
    // One range check for the usual case; `finite` tells the reasons apart.
    match (0.0..=f64::MAX).contains(&value) {
        true => None,
        false => finite(value).or(Some(InvalidValue::Negative)),
    }
}
