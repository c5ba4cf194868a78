//! Finds the bucket that a value belongs to.
//!
//! The numbers that are not negative are divided into cells of equal bit patterns: the exponent and the first bits of the
//! fraction, as many as it takes to have at most one boundary in a cell. For each cell it is known which bucket its least
//! number is in; what is left is one comparison. A search would have turns that the processor guesses wrong.

use std::sync::Arc;

/// The buckets of a metric.
#[derive(Debug)]
pub struct Buckets {
    /// Upper bounds of the buckets; the last bucket has none.
    boundaries: Arc<[f64]>,
    /// The same, and a last one that no value is above.
    bounds: Box<[f64]>,
    cells: Cells,
}

/// For each cell, the bucket of its least number.
#[derive(Debug)]
struct Cells {
    /// Bits that numbers of one cell may differ in.
    shift: u32,
    /// The cell of the least boundary: what is below is taken for the cell before it.
    first: u64,
    buckets: Box<[u16]>,
}

/// Bits of the fraction of an `f64`.
const FRACTION: u32 = 52;

/// Most cells that a metric may have, unless its boundaries lie more octaves apart.
const MOST_CELLS: u64 = 1024;

impl Buckets {
    /// One more than there are boundaries, which must increase.
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

    pub(crate) fn len(&self) -> usize {
        self.bounds.len()
    }

    /// How many cells there are, for tests.
    #[cfg(test)]
    pub(crate) fn cells(&self) -> usize {
        self.cells.buckets.len()
    }

    /// The bucket of a finite value that is not negative: a bound belongs to the bucket that it ends.
    #[inline]
    pub(crate) fn find(&self, value: f64) -> usize {
        let mut bucket = self.cells.bucket(value);
        // Without a branch, since either is as likely; a second step is rare.
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
        let (Some(least), Some(greatest)) = (positive.first(), positive.last()) else {
            return Self::without_positive(boundaries);
        };
        let enough = |shift: &u32| {
            let apart = positive
                .windows(2)
                .all(|pair| cell(pair[0], *shift) < cell(pair[1], *shift));
            apart || cell(*greatest, *shift - 1) - cell(*least, *shift - 1) > MOST_CELLS
        };
        let shift = (1..=FRACTION).rev().find(enough).unwrap_or(1);
        let first = cell(*least, shift);
        let bucket_of = |cell: u64| {
            let least = f64::from_bits(cell << shift);
            let bucket = boundaries.partition_point(|bound| *bound < least);
            u16::try_from(bucket).unwrap_or(u16::MAX)
        };
        // The cell before the first begins with zero.
        let before = boundaries.len() - positive.len();
        let before = boundaries[..before].partition_point(|bound| *bound < 0.0);
        let before = u16::try_from(before).unwrap_or(u16::MAX);
        let after = cell(*greatest, shift) + 1;
        Self {
            shift,
            first,
            buckets: [before]
                .into_iter()
                .chain((first..=after).map(bucket_of))
                .collect(),
        }
    }

    /// Every value is in the bucket after the last boundary, or zero.
    fn without_positive(boundaries: &[f64]) -> Self {
        let below = boundaries.partition_point(|bound| *bound < 0.0);
        Self {
            shift: FRACTION,
            first: 0,
            buckets: [u16::try_from(below).unwrap_or(u16::MAX)].into(),
        }
    }

    /// The bucket of the least number of a value's cell.
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

/// The cell of a number, of which the sign does not count: zero has two.
#[inline]
fn cell(number: f64, shift: u32) -> u64 {
    number.abs().to_bits() >> shift
}
