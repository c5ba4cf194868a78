//! What a histogram holds at one moment.

use std::sync::Arc;

/// Numbers that were counted in buckets.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// Upper bounds of the buckets; the last bucket has none.
    pub boundaries: Arc<[f64]>,
    /// Numbers in each bucket, one more than there are boundaries.
    pub counts: Vec<u64>,
    /// The sum of the numbers.
    pub sum: f64,
    /// The least and the greatest of them, if there are any.
    pub extremes: Option<[f64; 2]>,
}

impl Distribution {
    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}
