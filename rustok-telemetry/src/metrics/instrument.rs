//! Kinds of instruments: how each is made, what each series has, and how that is written and read.
//!
//! The numbers are our own. Only where exports count from the one before ([`Storage`]) are those of counters and
//! histograms the SDK's, bound to their label set.

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
        histogram_cell::HistogramCell,
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
    /// What makes cells.
    type Handle: Send + Sync + 'static;
    /// What one series is recorded in.
    type Cell: Send + Sync + 'static;

    /// Makes the instrument. `boundaries` are those of a histogram's buckets.
    fn create(
        declaration: &'static Declaration,
        storage: Storage<'_>,
        boundaries: &[f64],
    ) -> Self::Handle;
    /// Makes the cell of a label set.
    fn cell(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Cell;
    /// Records a value.
    fn write(cell: &Self::Cell, value: Self::Value);
    /// What was recorded, unless the SDK keeps it.
    fn read(cell: &Self::Cell) -> Option<Point>;
    /// Why a value cannot be recorded, if so.
    fn reject(value: Self::Value) -> Option<InvalidValue>;
}

/// Who keeps the numbers of counters and histograms.
#[derive(Debug, Clone, Copy)]
pub enum Storage<'meter> {
    /// We do, from the start.
    Native,
    /// The SDK does, since exports count from the one before (`delta`, `lowmemory`).
    Sdk(&'meter Meter),
}

/// Why a value was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidValue {
    /// NaN or an infinity.
    NotFinite,
    /// A counter, or the sum of a histogram, was asked to go down.
    Negative,
}

/// Marks a counter of `u64` or `f64`.
#[derive(Debug)]
pub struct Counter<T>(PhantomData<fn(T)>);

/// Marks a gauge of `i64`, `u64` or `f64`.
#[derive(Debug)]
pub struct Gauge<T>(PhantomData<fn(T)>);

/// Marks a counter that goes up and down, of `i64` or `f64`.
#[derive(Debug)]
pub struct UpDownCounter<T>(PhantomData<fn(T)>);

/// Marks a histogram of `f64` or `u64`.
#[derive(Debug)]
pub struct Histogram<T>(PhantomData<fn(T)>);

/// Implements [`Instrument`] for a kind of which we always keep the numbers.
macro_rules! native_instrument {
    ($marker:ident<$value:ty>: $cell:ident, $write:ident, $point:ident, $reject:expr) => {
        impl Instrument for $marker<$value> {
            type Value = $value;
            type Handle = ();
            type Cell = $cell<$value>;

            fn create(_: &'static Declaration, _: Storage<'_>, _: &[f64]) {}

            fn cell((): &(), _: &[KeyValue]) -> Self::Cell {
                $cell::new()
            }

            #[inline]
            fn write(cell: &Self::Cell, value: $value) {
                cell.$write(value);
            }

            fn read(cell: &Self::Cell) -> Option<Point> {
                Some(Point::$point(cell.get()))
            }

            #[inline]
            fn reject(value: $value) -> Option<InvalidValue> {
                $reject(value)
            }
        }
    };
}

native_instrument!(Gauge<i64>: Last, set, I64, accept);
native_instrument!(Gauge<u64>: Last, set, U64, accept);
native_instrument!(Gauge<f64>: Last, set, F64, finite);
native_instrument!(UpDownCounter<i64>: Sum, add, I64, accept);
native_instrument!(UpDownCounter<f64>: Sum, add, F64, finite);

/// What a series is recorded in, by who keeps it.
#[derive(Debug)]
pub enum Stored<Native, Sdk> {
    /// Kept by us.
    Native(Native),
    /// Kept by the SDK.
    Sdk(Sdk),
}

/// Implements [`Instrument`] for counters.
macro_rules! counter {
    ($value:ty: $build:ident, $point:ident, $reject:expr) => {
        impl Instrument for Counter<$value> {
            type Value = $value;
            type Handle = Stored<(), otel::Counter<$value>>;
            type Cell = Stored<Sum<$value>, otel::BoundCounter<$value>>;

            fn create(
                declaration: &'static Declaration,
                storage: Storage<'_>,
                _: &[f64],
            ) -> Self::Handle {
                match storage {
                    Storage::Native => Stored::Native(()),
                    Storage::Sdk(meter) => Stored::Sdk(
                        meter
                            .$build(declaration.name)
                            .with_description(declaration.help)
                            .with_unit(declaration.unit)
                            .build(),
                    ),
                }
            }

            fn cell(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Cell {
                match handle {
                    Stored::Native(()) => Stored::Native(Sum::new()),
                    Stored::Sdk(counter) => Stored::Sdk(counter.bind(labels)),
                }
            }

            #[inline]
            fn write(cell: &Self::Cell, value: $value) {
                match cell {
                    Stored::Native(sum) => sum.add(value),
                    Stored::Sdk(bound) => bound.add(value),
                }
            }

            fn read(cell: &Self::Cell) -> Option<Point> {
                match cell {
                    Stored::Native(sum) => Some(Point::$point(sum.get())),
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

counter!(u64: u64_counter, U64, accept);
counter!(f64: f64_counter, F64, finite_and_not_negative);

/// Implements [`Instrument`] for histograms.
macro_rules! histogram {
    ($value:ty: $build:ident, $reject:expr) => {
        impl Instrument for Histogram<$value> {
            type Value = $value;
            type Handle = Stored<Arc<Buckets>, otel::Histogram<$value>>;
            type Cell = Stored<HistogramCell<$value>, otel::BoundHistogram<$value>>;

            fn create(
                declaration: &'static Declaration,
                storage: Storage<'_>,
                boundaries: &[f64],
            ) -> Self::Handle {
                match storage {
                    Storage::Native => Stored::Native(Buckets::new(boundaries).into()),
                    Storage::Sdk(meter) => Stored::Sdk(
                        meter
                            .$build(declaration.name)
                            .with_boundaries(boundaries.to_vec())
                            .with_description(declaration.help)
                            .with_unit(declaration.unit)
                            .build(),
                    ),
                }
            }

            fn cell(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Cell {
                match handle {
                    Stored::Native(buckets) => {
                        Stored::Native(HistogramCell::new(Arc::clone(buckets)))
                    }
                    Stored::Sdk(histogram) => Stored::Sdk(histogram.bind(labels)),
                }
            }

            #[inline]
            fn write(cell: &Self::Cell, value: $value) {
                match cell {
                    Stored::Native(native_instrument) => native_instrument.record(value),
                    Stored::Sdk(bound) => bound.record(value),
                }
            }

            fn read(cell: &Self::Cell) -> Option<Point> {
                match cell {
                    Stored::Native(native_instrument) => {
                        Some(Point::Histogram(native_instrument.read()))
                    }
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

histogram!(f64: f64_histogram, finite_and_not_negative);
histogram!(u64: u64_histogram, accept);

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
    // The usual case takes two comparisons.
    match (0.0..=f64::MAX).contains(&value) {
        true => None,
        false => finite(value).or(Some(InvalidValue::Negative)),
    }
}
