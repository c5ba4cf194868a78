//! The value of a histogram series.

use std::sync::Arc;

/// A snapshot of a histogram series.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Upper bounds of the buckets; the last bucket has none.
    pub boundaries: Arc<[f64]>,
    /// Number of values in each bucket, not cumulative; one more than there are boundaries.
    pub counts: Vec<u64>,
    /// Sum of the values.
    pub sum: f64,
    /// Smallest and largest value; `None` without values.
    pub extremes: Option<[f64; 2]>,
}

impl Distribution {
    /// Returns the number of values.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}
