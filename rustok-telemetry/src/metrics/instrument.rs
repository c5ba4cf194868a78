//! Kinds of instruments: how each is created, and how the cell of a series is written and read.
//!
//! Recorded values live in this crate's atomics, not in SDK instruments. The exception is delta temporality: counters
//! and histograms are then SDK instruments, bound to their label set (see [`Storage`]).

use std::{marker::PhantomData, sync::Arc};

use opentelemetry::{
    KeyValue,
    metrics::{self as otel, Meter},
};

use super::{
    Declaration, current_span,
    store::{
        buckets::Buckets,
        cell::{Last, Number, Sum},
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
    fn exemplars(_: &Self::Cell) -> Option<&Exemplars> {
        None
    }
    /// Returns why a value cannot be recorded, or `None` if it can.
    fn reject(value: Self::Value) -> Option<InvalidValue>;
}

/// Where the values of counters and histograms are stored.
#[derive(Debug, Clone, Copy)]
pub enum Storage<'meter> {
    /// In this crate, with cumulative temporality.
    Native,
    /// In the SDK, for the temporality preferences `delta` and `lowmemory`.
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

/// Implements [`Instrument`] for a kind that is always stored natively.
macro_rules! native_instrument {
    ($marker:ident<$value:ty>: $cell:ident, $write:ident, $reject:expr) => {
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
                Some(Point::Number(cell.get().into()))
            }

            #[inline]
            fn reject(value: $value) -> Option<InvalidValue> {
                $reject(value)
            }
        }
    };
}

native_instrument!(Gauge<i64>: Last, set, accept);
native_instrument!(Gauge<u64>: Last, set, accept);
native_instrument!(Gauge<f64>: Last, set, finite);
native_instrument!(UpDownCounter<i64>: Sum, add, accept);
native_instrument!(UpDownCounter<f64>: Sum, add, finite);

/// The values of a series, by [`Storage`].
#[derive(Debug)]
pub enum Stored<Native, Sdk> {
    /// In this crate.
    Native(Native),
    /// In the SDK.
    Sdk(Sdk),
}

/// The cell of a counter or a histogram: its values and their exemplars, which are always in this crate.
#[derive(Debug)]
#[repr(C)]
pub struct Measured<Native, Sdk, Slots> {
    stored: Stored<Native, Sdk>,
    exemplars: Exemplars,
    slots: Slots,
}

/// The slots of exemplars: one for each bucket of a histogram, one for a counter.
pub trait ExemplarSlots {
    /// Returns the number of slots, and the slot of a value.
    fn slot(&self, value: f64) -> (usize, usize);
}

impl ExemplarSlots for () {
    fn slot(&self, _: f64) -> (usize, usize) {
        (1, 0)
    }
}

impl ExemplarSlots for Arc<Buckets> {
    fn slot(&self, value: f64) -> (usize, usize) {
        (self.len(), self.find(value))
    }
}

impl<Native, Sdk, Slots: ExemplarSlots> Measured<Native, Sdk, Slots> {
    /// Keeps a value as exemplar, then records it. Apart from the path without exemplars, which so has nothing to keep
    /// for later.
    #[inline(never)]
    fn with_exemplar(&self, value: f64, record: impl FnOnce(&Stored<Native, Sdk>)) {
        let (slots, at) = self.slots.slot(value);
        self.exemplars
            .store(at, slots, current_span::exemplar(value));
        record(&self.stored);
    }
}

/// Implements [`Instrument`] for a kind that is stored as [`Storage`] says.
macro_rules! instrument {
    (
        $marker:ident<$value:ty>: $write:ident, $reject:expr;
        native: $handle:ty = $create:expr, $cell:ty = $new:expr, $read:expr;
        sdk: $bound:ident, $build:ident $(, $with_boundaries:ident)?
    ) => {
        impl Instrument for $marker<$value> {
            type Value = $value;
            // With an instrument of the SDK if the values are stored there.
            type Handle = ($handle, Option<otel::$marker<$value>>);
            type Cell = Measured<$cell, otel::$bound<$value>, $handle>;

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
                    exemplars: Exemplars::new(),
                    slots: handle.clone(),
                }
            }

            #[inline]
            fn write(cell: &Self::Cell, value: $value) {
                let record = move |stored: &Stored<$cell, otel::$bound<$value>>| match stored {
                    Stored::Native(native) => native.$write(value),
                    Stored::Sdk(bound) => bound.$write(value),
                };
                match current_span::wants_exemplar() {
                    false => record(&cell.stored),
                    true => cell.with_exemplar(Measure::as_f64(value), record),
                }
            }

            fn read(cell: &Self::Cell) -> Option<Point> {
                match &cell.stored {
                    Stored::Native(native) => Some($read(native)),
                    Stored::Sdk(_) => None,
                }
            }

            fn exemplars(cell: &Self::Cell) -> Option<&Exemplars> {
                Some(&cell.exemplars)
            }

            #[inline]
            fn reject(value: $value) -> Option<InvalidValue> {
                $reject(value)
            }
        }
    };
}

instrument! {
    Counter<u64>: add, accept;
    native: () = |_: &_| (), Sum<u64> = |_: &()| Sum::new(), read_sum;
    sdk: BoundCounter, u64_counter
}
instrument! {
    Counter<f64>: add, finite_and_not_negative;
    native: () = |_: &_| (), Sum<f64> = |_: &()| Sum::new(), read_sum;
    sdk: BoundCounter, f64_counter
}
instrument! {
    Histogram<u64>: record, accept;
    native: Arc<Buckets> = new_buckets, HistogramCell<u64> = new_histogram, read_histogram;
    sdk: BoundHistogram, u64_histogram, with_boundaries
}
instrument! {
    Histogram<f64>: record, finite_and_not_negative;
    native: Arc<Buckets> = new_buckets, HistogramCell<f64> = new_histogram, read_histogram;
    sdk: BoundHistogram, f64_histogram, with_boundaries
}

fn read_sum<T: Number + Into<NumberValue>>(cell: &Sum<T>) -> Point {
    Point::Number(cell.get().into())
}

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
