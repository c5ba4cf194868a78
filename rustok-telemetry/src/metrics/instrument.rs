//! Kinds of instruments: how each is made, bound to a label set and written.

use std::marker::PhantomData;

use opentelemetry::{
    KeyValue,
    metrics::{self as otel, Meter},
};

use super::Declaration;

/// A kind of instrument together with the type of its value.
///
/// Implemented for [`Counter`], [`Gauge`], [`UpDownCounter`] and [`Histogram`]; the macro names one in each
/// expansion.
pub trait Instrument: 'static {
    /// Type of a recorded value.
    type Value: Copy;
    /// The OpenTelemetry instrument.
    type Handle: Send + Sync + 'static;
    /// The instrument with one label set resolved.
    type Bound: Send + Sync + 'static;

    /// Makes the instrument.
    fn create(meter: &Meter, declaration: &'static Declaration) -> Self::Handle;
    /// Resolves a label set.
    fn bind(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Bound;
    /// Records a value.
    fn write(bound: &Self::Bound, value: Self::Value);
    /// Why a value cannot be recorded, if so.
    fn reject(value: Self::Value) -> Option<Rejection>;
}

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

/// Implements [`Instrument`] for one kind and one type of value.
macro_rules! instrument {
    ($marker:ident<$value:ty>: $handle:ident, $bound:ident, $build:ident, $write:ident, $reject:expr) => {
        impl Instrument for $marker<$value> {
            type Value = $value;
            type Handle = otel::$handle<$value>;
            type Bound = otel::$bound<$value>;

            fn create(meter: &Meter, declaration: &'static Declaration) -> Self::Handle {
                let builder = meter.$build(declaration.name);
                instrument!(@boundaries $marker builder declaration)
                    .with_description(declaration.help)
                    .with_unit(declaration.unit)
                    .build()
            }

            fn bind(handle: &Self::Handle, labels: &[KeyValue]) -> Self::Bound {
                handle.bind(labels)
            }

            fn write(bound: &Self::Bound, value: $value) {
                bound.$write(value);
            }

            fn reject(value: $value) -> Option<Rejection> {
                $reject(value)
            }
        }
    };
    (@boundaries Histogram $builder:ident $declaration:ident) => {
        $builder.with_boundaries($declaration.boundaries.to_vec())
    };
    (@boundaries $other:ident $builder:ident $declaration:ident) => {
        $builder
    };
}

instrument!(Counter<u64>: Counter, BoundCounter, u64_counter, add, accept);
instrument!(Counter<f64>: Counter, BoundCounter, f64_counter, add, finite_and_not_negative);
instrument!(Gauge<i64>: Gauge, BoundGauge, i64_gauge, record, accept);
instrument!(Gauge<u64>: Gauge, BoundGauge, u64_gauge, record, accept);
instrument!(Gauge<f64>: Gauge, BoundGauge, f64_gauge, record, finite);
instrument!(UpDownCounter<i64>: UpDownCounter, BoundUpDownCounter, i64_up_down_counter, add, accept);
instrument!(UpDownCounter<f64>: UpDownCounter, BoundUpDownCounter, f64_up_down_counter, add, finite);
instrument!(Histogram<f64>: Histogram, BoundHistogram, f64_histogram, record, finite_and_not_negative);
instrument!(Histogram<u64>: Histogram, BoundHistogram, u64_histogram, record, accept);

fn accept<T>(_: T) -> Option<Rejection> {
    None
}

fn finite(value: f64) -> Option<Rejection> {
    (!value.is_finite()).then_some(Rejection::NotFinite)
}

fn finite_and_not_negative(value: f64) -> Option<Rejection> {
    finite(value).or((value < 0.0).then_some(Rejection::Negative))
}
