//! Kinds of instruments: how each is made, what each series has, and how that is written.
//!
//! Counters and gauges are numbers of our own, which the SDK reads when it collects. Histograms are the SDK's, bound to
//! their label set: it reads no others. So are counters where exports count from the one before ([`Keeper`]).

use std::marker::PhantomData;

use opentelemetry::{
    KeyValue,
    metrics::{self as otel, Meter},
};

use super::{
    Declaration,
    cell::{Last, Sum},
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

    /// Makes the instrument. `visit` shows every series to whoever collects.
    fn create(
        meter: &Meter,
        declaration: &'static Declaration,
        keeper: Keeper,
        visit: VisitCells<Self::Cell>,
    ) -> Self::Handle;
    /// Makes the cell of a label set.
    fn cell(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Cell;
    /// Records a value.
    fn write(cell: &Self::Cell, value: Self::Value);
    /// Why a value cannot be recorded, if so.
    fn reject(value: Self::Value) -> Option<Rejection>;
}

/// Who keeps the sums of counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// We do; the SDK reads them.
    Ours,
    /// The SDK does. If exports count from the one before (`delta`, `lowmemory`), what it reads would be sent from the
    /// start, or at each export, though nothing was added.
    Sdk,
}

/// Calls back for every series of a metric, with its labels.
pub type VisitCells<C> = Box<dyn Fn(&mut dyn FnMut(&C, &[KeyValue])) + Send + Sync>;

/// Why a value was not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
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

/// Implements [`Instrument`] for a kind of which we keep the numbers.
macro_rules! own {
    ($marker:ident<$value:ty>: $cell:ident, $write:ident, $build:ident, $reject:expr) => {
        impl Instrument for $marker<$value> {
            type Value = $value;
            type Handle = ();
            type Cell = $cell<$value>;

            fn create(
                meter: &Meter,
                declaration: &'static Declaration,
                _: Keeper,
                visit: VisitCells<Self::Cell>,
            ) {
                // The meter keeps the callback; the handle does nothing.
                let _ = meter
                    .$build(declaration.name)
                    .with_description(declaration.help)
                    .with_unit(declaration.unit)
                    .with_callback(move |observer| {
                        visit(&mut |cell, labels| observer.observe(cell.get(), labels))
                    })
                    .build();
            }

            fn cell((): &(), _: &[KeyValue]) -> Self::Cell {
                $cell::new()
            }

            fn write(cell: &Self::Cell, value: $value) {
                cell.$write(value);
            }

            fn reject(value: $value) -> Option<Rejection> {
                $reject(value)
            }
        }
    };
}

own!(Gauge<i64>: Last, set, i64_observable_gauge, accept);
own!(Gauge<u64>: Last, set, u64_observable_gauge, accept);
own!(Gauge<f64>: Last, set, f64_observable_gauge, finite);
own!(UpDownCounter<i64>: Sum, add, i64_observable_up_down_counter, accept);
own!(UpDownCounter<f64>: Sum, add, f64_observable_up_down_counter, finite);

/// The sum of one series of a counter.
#[derive(Debug)]
pub enum CounterCell<T> {
    /// Kept by us.
    Ours(Sum<T>),
    /// Kept by the SDK.
    OfSdk(otel::BoundCounter<T>),
}

/// Implements [`Instrument`] for counters.
macro_rules! counter {
    ($value:ty: $observed:ident, $bound:ident, $reject:expr) => {
        impl Instrument for Counter<$value> {
            type Value = $value;
            type Handle = Option<otel::Counter<$value>>;
            type Cell = CounterCell<$value>;

            fn create(
                meter: &Meter,
                declaration: &'static Declaration,
                keeper: Keeper,
                visit: VisitCells<Self::Cell>,
            ) -> Self::Handle {
                let (name, help, unit) = (declaration.name, declaration.help, declaration.unit);
                if keeper == Keeper::Sdk {
                    let counter = meter.$bound(name).with_description(help).with_unit(unit);
                    return Some(counter.build());
                }
                let counter = meter.$observed(name).with_description(help).with_unit(unit);
                let observed = counter.with_callback(move |observer| {
                    visit(&mut |cell, labels| {
                        if let CounterCell::Ours(sum) = cell {
                            observer.observe(sum.get(), labels);
                        }
                    });
                });
                // The meter keeps the callback; the handle does nothing.
                let _ = observed.build();
                None
            }

            fn cell(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Cell {
                match handle {
                    Some(counter) => CounterCell::OfSdk(counter.bind(labels)),
                    None => CounterCell::Ours(Sum::new()),
                }
            }

            fn write(cell: &Self::Cell, value: $value) {
                match cell {
                    CounterCell::Ours(sum) => sum.add(value),
                    CounterCell::OfSdk(bound) => bound.add(value),
                }
            }

            fn reject(value: $value) -> Option<Rejection> {
                $reject(value)
            }
        }
    };
}

counter!(u64: u64_observable_counter, u64_counter, accept);
counter!(f64: f64_observable_counter, f64_counter, finite_and_not_negative);

/// Implements [`Instrument`] for histograms.
macro_rules! bound {
    ($value:ty: $build:ident, $reject:expr) => {
        impl Instrument for Histogram<$value> {
            type Value = $value;
            type Handle = otel::Histogram<$value>;
            type Cell = otel::BoundHistogram<$value>;

            fn create(
                meter: &Meter,
                declaration: &'static Declaration,
                _: Keeper,
                _: VisitCells<Self::Cell>,
            ) -> Self::Handle {
                meter
                    .$build(declaration.name)
                    .with_boundaries(declaration.boundaries.to_vec())
                    .with_description(declaration.help)
                    .with_unit(declaration.unit)
                    .build()
            }

            fn cell(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Cell {
                handle.bind(labels)
            }

            fn write(cell: &Self::Cell, value: $value) {
                cell.record(value);
            }

            fn reject(value: $value) -> Option<Rejection> {
                $reject(value)
            }
        }
    };
}

bound!(f64: f64_histogram, finite_and_not_negative);
bound!(u64: u64_histogram, accept);

fn accept<T>(_: T) -> Option<Rejection> {
    None
}

fn finite(value: f64) -> Option<Rejection> {
    (!value.is_finite()).then_some(Rejection::NotFinite)
}

fn finite_and_not_negative(value: f64) -> Option<Rejection> {
    finite(value).or((value < 0.0).then_some(Rejection::Negative))
}
