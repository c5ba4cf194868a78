//! The value of a series.

use std::sync::Arc;

/// The value of a counter or a gauge, in its recorded type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NumberValue {
    /// An unsigned integer.
    U64(u64),
    /// A signed integer.
    I64(i64),
    /// A floating-point number.
    F64(f64),
}

impl NumberValue {
    /// Returns the number as Prometheus has it.
    #[allow(clippy::cast_precision_loss, reason = "Prometheus' numbers are f64")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::U64(number) => number as f64,
            Self::I64(number) => number as f64,
            Self::F64(number) => number,
        }
    }
}

impl From<u64> for NumberValue {
    fn from(number: u64) -> Self {
        Self::U64(number)
    }
}

impl From<i64> for NumberValue {
    fn from(number: i64) -> Self {
        Self::I64(number)
    }
}

impl From<f64> for NumberValue {
    fn from(number: f64) -> Self {
        Self::F64(number)
    }
}

/// A snapshot of a histogram series.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Upper bounds of the buckets; the last bucket has none.
    pub boundaries: Arc<[f64]>,
    /// Number of values in each bucket, not cumulative; one more than there are boundaries. Empty without boundaries if
    /// the SDK stores the histogram.
    pub counts: Vec<u64>,
    /// Number of values.
    pub count: u64,
    /// Sum of the values.
    pub sum: NumberValue,
    /// Smallest and largest value; `None` without values.
    pub extremes: Option<[f64; 2]>,
}
