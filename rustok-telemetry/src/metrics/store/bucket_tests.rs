//! Compares the bucket lookup with a binary search. Not in `buckets.rs`, because the loom models compile that file too.

use proptest::prelude::*;

use super::buckets::Buckets;
use crate::metrics::{REQUEST_SECONDS, catalogue};

fn assert_finds(boundaries: &[f64], value: f64) {
    let expected = boundaries.partition_point(|bound| *bound < value);
    let found = Buckets::new(boundaries).find(value);
    assert_eq!(found, expected, "{value} among {boundaries:?}");
}

fn just_beside(value: f64) -> [f64; 3] {
    [value.next_down(), value, value.next_up()]
}

#[test]
fn upper_bounds_are_inclusive() {
    let odd: &[&[f64]] = &[
        &[],
        &[0.0],
        &[-1.0],
        &[-1.0, 0.0, 1.0],
        &[1.0, 1.000_000_000_1, 1.000_000_000_2],
        &[f64::MIN_POSITIVE, f64::MAX],
        &[5e-324, 1e-323],
    ];
    let linear: Vec<_> = (0..3_000).map(f64::from).collect();
    let declared = catalogue();
    let declared = declared.iter().map(|metric| metric.boundaries);
    for boundaries in odd
        .iter()
        .copied()
        .chain([linear.as_slice()])
        .chain(declared)
    {
        let beside = boundaries.iter().copied().flat_map(just_beside);
        let values = beside.chain([0.0, -0.0, 5e-324, 0.5, 1e300, f64::MAX]);
        for value in values.filter(|value| (0.0..=f64::MAX).contains(value)) {
            assert_finds(boundaries, value);
        }
    }
}

#[test]
fn cells_of_usual_boundaries_are_few() {
    let seconds = Buckets::new(REQUEST_SECONDS);
    assert!(seconds.cells() < 64, "{seconds:?}");
}

proptest! {
    #[test]
    fn lookup_agrees_with_a_binary_search(
        mut boundaries in prop::collection::vec(-10.0..1e6_f64, 0..60),
        values in prop::collection::vec(prop_oneof![0.0..1e6_f64, 0.0..1e-3_f64], 1..60),
    ) {
        boundaries.sort_by(f64::total_cmp);
        boundaries.dedup();
        let buckets = Buckets::new(&boundaries);
        for value in values {
            let expected = boundaries.partition_point(|bound| *bound < value);
            prop_assert_eq!(buckets.find(value), expected);
        }
    }
}
