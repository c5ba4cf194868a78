//! The known differences of stores.

use super::dashboards::{Difference, Query};

/// A known difference of a store, which no query may exceed.
#[derive(Debug)]
pub struct Known {
    store: &'static str,
    queries: Queries,
    /// Whether other series may be there.
    other_series: bool,
    /// The largest relative difference of values.
    within: f64,
    /// Why the results differ.
    pub reason: &'static str,
}

/// The queries with a difference.
#[derive(Debug)]
enum Queries {
    /// Those of recorded series.
    Recorded,
    /// Those with one of these functions.
    With(&'static [&'static str]),
}

const TIES: &str = "topk chooses any of several series with the same value";
const RATES: &str =
    "rate and increase count from the last sample before the range, and do not extrapolate";

/// All of them. The bounds are for counters that are two minutes old. The functions of VictoriaMetrics can see an increase
/// where Prometheus sees none, so only the series are bounded; that it has the same samples is compared on its own.
static KNOWN: [Known; 5] = [
    Known {
        store: "Thanos",
        queries: Queries::With(&["topk("]),
        other_series: true,
        within: 0.0,
        reason: TIES,
    },
    Known {
        store: "Thanos",
        queries: Queries::Recorded,
        other_series: false,
        within: 0.25,
        reason: "the ruler evaluates at other times than the reference",
    },
    Known {
        store: "VictoriaMetrics",
        queries: Queries::With(&["topk("]),
        other_series: true,
        within: 1.0,
        reason: TIES,
    },
    Known {
        store: "VictoriaMetrics",
        queries: Queries::With(&["rate(", "increase("]),
        other_series: false,
        within: 1.0,
        reason: RATES,
    },
    Known {
        store: "VictoriaMetrics",
        queries: Queries::Recorded,
        other_series: false,
        within: 1.0,
        reason: "vmalert recorded rates over ranges that are longer than the data: they are divided by the time of the data",
    },
];

/// Returns the known difference, if it is one.
pub(super) fn of(
    store: &str,
    query: &Query,
    is_recorded: bool,
    difference: &Difference,
) -> Option<&'static Known> {
    KNOWN.iter().find(|known| {
        let is_one = match known.queries {
            Queries::Recorded => is_recorded,
            Queries::With(functions) => functions.iter().any(|it| query.promql.contains(it)),
        };
        known.store == store
            && is_one
            && (known.other_series || difference.series.is_none())
            && difference.relative <= known.within
    })
}
