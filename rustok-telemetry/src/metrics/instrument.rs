//! Kinds of instruments: how each is created, and how the cell of a series is written and read.
//!
//! By default recorded values live in this crate's atomics, not in SDK instruments. See [`Storage`] for the exceptions.

use std::{marker::PhantomData, sync::Arc};

use opentelemetry::{
    KeyValue,
    metrics::{self as otel, Meter},
};

use super::{
    Declaration,
    store::{
        buckets::Buckets,
        cell::{Last, Sum},
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

/// A handle or a cell, by [`Storage`].
#[derive(Debug)]
pub enum Stored<Native, Sdk> {
    /// In this crate.
    Native(Native),
    /// In the SDK.
    Sdk(Sdk),
}

/// Implements [`Instrument`] for a kind with a type of value.
macro_rules! instrument {
    (
        $marker:ident<$value:ty>: $reject:expr;
        native: $handle:ty = $create:expr, $cell:ty = $new:expr, $write:ident, $read:expr;
        sdk: $bound:ident, $build:ident, $record:ident $(, $with_boundaries:ident)?
    ) => {
        impl Instrument for $marker<$value> {
            type Value = $value;
            type Handle = Stored<$handle, otel::$marker<$value>>;
            type Cell = Stored<$cell, otel::$bound<$value>>;

            fn create(
                declaration: &'static Declaration,
                storage: Storage<'_>,
                boundaries: &[f64],
            ) -> Self::Handle {
                match storage {
                    Storage::Native => Stored::Native($create(boundaries)),
                    Storage::Sdk(meter) => Stored::Sdk(
                        meter
                            .$build(declaration.name)
                            $(.$with_boundaries(boundaries.to_vec()))?
                            .with_description(declaration.help)
                            .with_unit(declaration.unit)
                            .build(),
                    ),
                }
            }

            fn cell(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Cell {
                match handle {
                    Stored::Native(native) => Stored::Native($new(native)),
                    Stored::Sdk(sdk) => Stored::Sdk(sdk.bind(labels)),
                }
            }

            #[inline]
            fn write(cell: &Self::Cell, value: $value) {
                match cell {
                    Stored::Native(native) => native.$write(value),
                    Stored::Sdk(bound) => bound.$record(value),
                }
            }

            fn read(cell: &Self::Cell) -> Option<Point> {
                match cell {
                    Stored::Native(native) => Some($read(native)),
                    Stored::Sdk(_) => None,
                }
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
    ($marker:ident<$value:ty>: $cell:ident, $write:ident, $reject:expr; $($sdk:tt)*) => {
        instrument! {
            $marker<$value>: $reject;
            native: () = |_: &_| (), $cell<$value> = |_: &()| $cell::new(), $write, |cell: &$cell<$value>| {
                Point::Number(cell.get().into())
            };
            sdk: $($sdk)*
        }
    };
}

/// Implements [`Instrument`] for histograms.
macro_rules! histogram {
    (<$value:ty>: $reject:expr; $build:ident) => {
        instrument! {
            Histogram<$value>: $reject;
            native: Arc<Buckets> = new_buckets, HistogramCell<$value> = new_histogram, record, read_histogram;
            sdk: BoundHistogram, $build, record, with_boundaries
        }
    };
}

number!(Counter<u64>: Sum, add, accept; BoundCounter, u64_counter, add);
number!(Counter<f64>: Sum, add, finite_and_not_negative; BoundCounter, f64_counter, add);
number!(UpDownCounter<i64>: Sum, add, accept; BoundUpDownCounter, i64_up_down_counter, add);
number!(UpDownCounter<f64>: Sum, add, finite; BoundUpDownCounter, f64_up_down_counter, add);
number!(Gauge<i64>: Last, set, accept; BoundGauge, i64_gauge, record);
number!(Gauge<u64>: Last, set, accept; BoundGauge, u64_gauge, record);
number!(Gauge<f64>: Last, set, finite; BoundGauge, f64_gauge, record);
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
