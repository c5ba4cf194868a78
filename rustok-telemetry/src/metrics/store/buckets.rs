//! Finds the bucket of a value without a binary search, whose branches the processor mispredicts.
//!
//! Non-negative numbers are divided into cells by their upper bits: the exponent and as many leading bits of the
//! fraction as it takes to have at most one boundary in a cell. A table has the bucket of each cell's smallest number;
//! one comparison with the boundary decides the rest.

use std::sync::Arc;

/// The buckets of a metric.
#[derive(Debug)]
pub struct Buckets {
    /// Upper bounds of the buckets; the last bucket has none.
    boundaries: Arc<[f64]>,
    /// The boundaries and infinity.
    bounds: Box<[f64]>,
    cells: Cells,
}

/// For each cell, the bucket of its smallest number.
#[derive(Debug)]
struct Cells {
    /// Number of low bits that do not count for the cell.
    shift: u32,
    /// The cell of the smallest positive boundary. Numbers below it belong to the cell before.
    first: u64,
    buckets: Box<[u16]>,
}

/// Bits of the fraction of an `f64`.
const FRACTION: u32 = 52;

/// Maximum number of cells of a metric, unless its boundaries span more octaves.
const MAX_CELLS: u64 = 1024;

impl Buckets {
    /// Creates the buckets between `boundaries`, which must increase.
    pub(crate) fn new(boundaries: &[f64]) -> Self {
        let bounds = boundaries.iter().copied().chain([f64::INFINITY]).collect();
        Self {
            boundaries: boundaries.into(),
            bounds,
            cells: Cells::new(boundaries),
        }
    }

    pub(crate) fn boundaries(&self) -> &Arc<[f64]> {
        &self.boundaries
    }

    /// Returns the number of buckets, one more than there are boundaries.
    pub(crate) fn len(&self) -> usize {
        self.bounds.len()
    }

    /// Returns the number of cells.
    #[cfg(test)]
    pub(crate) fn cells(&self) -> usize {
        self.cells.buckets.len()
    }

    /// Returns the bucket of a finite, non-negative value. Upper bounds are inclusive.
    #[inline]
    pub(crate) fn find(&self, value: f64) -> usize {
        let mut bucket = self.cells.bucket(value);
        // The first step is branchless, because both outcomes are equally likely. Further steps are rare.
        bucket += usize::from(self.is_above(bucket, value));
        while self.is_above(bucket, value) {
            bucket += 1;
        }
        bucket
    }

    #[inline]
    fn is_above(&self, bucket: usize, value: f64) -> bool {
        self.bounds.get(bucket).is_some_and(|bound| *bound < value)
    }
}

impl Cells {
    fn new(boundaries: &[f64]) -> Self {
        let positive = &boundaries[boundaries.partition_point(|bound| *bound <= 0.0)..];
        let (Some(min), Some(max)) = (positive.first(), positive.last()) else {
            return Self::without_positive(boundaries);
        };
        let enough = |shift: &u32| {
            let apart = positive
                .windows(2)
                .all(|pair| cell(pair[0], *shift) < cell(pair[1], *shift));
            apart || cell(*max, *shift - 1) - cell(*min, *shift - 1) > MAX_CELLS
        };
        let shift = (1..=FRACTION).rev().find(enough).unwrap_or(1);
        let first = cell(*min, shift);
        let bucket_of = |cell: u64| {
            let min = f64::from_bits(cell << shift);
            let bucket = boundaries.partition_point(|bound| *bound < min);
            u16::try_from(bucket).unwrap_or(u16::MAX)
        };
        // The cell before the first begins with zero.
        let before = boundaries.len() - positive.len();
        let before = boundaries[..before].partition_point(|bound| *bound < 0.0);
        let before = u16::try_from(before).unwrap_or(u16::MAX);
        let after = cell(*max, shift) + 1;
        Self {
            shift,
            first,
            buckets: [before]
                .into_iter()
                .chain((first..=after).map(bucket_of))
                .collect(),
        }
    }

    /// Without positive boundaries, every value but zero is in the last bucket.
    fn without_positive(boundaries: &[f64]) -> Self {
        let below = boundaries.partition_point(|bound| *bound < 0.0);
        Self {
            shift: FRACTION,
            first: 0,
            buckets: [u16::try_from(below).unwrap_or(u16::MAX)].into(),
        }
    }

    /// Returns the bucket of the smallest number in the value's cell.
    #[inline]
    fn bucket(&self, value: f64) -> usize {
        let after = (cell(value, self.shift) + 1).saturating_sub(self.first);
        let last = self.buckets.len().wrapping_sub(1);
        let at = usize::try_from(after).unwrap_or(last).min(last);
        self.buckets
            .get(at)
            .map_or(0, |bucket| usize::from(*bucket))
    }
}

/// Returns the cell of a number. The sign is ignored, because -0.0 is zero.
#[inline]
fn cell(number: f64, shift: u32) -> u64 {
    number.abs().to_bits() >> shift
}
