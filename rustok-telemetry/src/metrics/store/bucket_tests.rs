//! Compares the bucket lookup with a binary search. Not in `buckets.rs`, because the loom models compile that file too.

use proptest::prelude::*;

use super::buckets::Buckets;
use crate::metrics::{REQUEST_SECONDS, catalogue};

/// Looks up these values and those at and beside each boundary.
fn check(boundaries: &[f64], values: &[f64]) {
    let buckets = Buckets::new(boundaries);
    let beside = |bound: &f64| [bound.next_down(), *bound, bound.next_up()];
    let beside = boundaries.iter().flat_map(beside);
    let values = beside.chain(values.iter().copied());
    for value in values.filter(|value| (0.0..=f64::MAX).contains(value)) {
        let expected = boundaries.partition_point(|bound| *bound < value);
        assert_eq!(buckets.find(value), expected, "{value} in {boundaries:?}");
    }
}

#[test]
fn upper_bounds_are_inclusive() {
    let linear: Vec<_> = (0..3_000).map(f64::from).collect();
    let odd: [&[f64]; 8] = [
        &[],
        &[0.0],
        &[-1.0],
        &[-1.0, 0.0, 1.0],
        &[1.0, 1.000_000_000_1, 1.000_000_000_2],
        &[f64::MIN_POSITIVE, f64::MAX],
        &[5e-324, 1e-323],
        &linear,
    ];
    let declared = catalogue().into_iter().map(|metric| metric.boundaries);
    for boundaries in declared.chain(odd) {
        check(boundaries, &[0.0, -0.0, 5e-324, 0.5, 1e300, f64::MAX]);
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
        check(&boundaries, &values);
    }
}
