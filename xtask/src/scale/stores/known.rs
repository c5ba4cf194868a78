//! The known differences of stores.

use super::dashboards::{Difference, Query};

/// A known difference.
#[derive(Debug)]
pub struct Known {
    store: &'static str,
    /// What the expression contains.
    contains: &'static str,
    /// The largest relative difference.
    within: f64,
    /// Why the results differ.
    pub reason: &'static str,
}

/// All of them.
const KNOWN: [Known; 0] = [];

/// Returns the reason of a difference, if it is known.
pub(super) fn of(store: &str, query: &Query, difference: &Difference) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        known.store == store
            && query.promql.contains(known.contains)
            && difference.series.is_none()
            && difference.relative <= known.within
    })
}
