//! The metrics of the text, ordered by name, and the metrics that are skipped because of a name collision.
//!
//! Metrics of the catalogue have precedence over `target_info`, which has precedence over metrics of other meters, in
//! the order of their scopes. So every replica has the same metrics in its text.

use std::borrow::Cow;

use super::labels::text_name;
use crate::metrics::{Kind, snapshot::MetricSnapshot};

/// A metric that may be in the text.
pub(crate) struct Candidate<'text> {
    pub(crate) name: Cow<'text, str>,
    pub(crate) metric: MetricSnapshot<'text>,
}

/// A metric that is not in the text with all of its series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SkippedMetric {
    pub(crate) name: String,
    pub(crate) reason: &'static str,
}

const OTHER_TYPE: &str = "another metric of this name has another type";
const SAMPLE_OF_HISTOGRAM: &str = "a histogram has samples of this name";
const SAMPLE_IS_METRIC: &str = "another metric has the name of a sample of this histogram";
pub(crate) const DUPLICATE_SERIES: &str =
    "some of its label sets are in another metric of this name";

/// Returns the metrics of the text, ordered by name and origin; those with the same name have the same type. Adds the
/// others to `skipped`.
pub(crate) fn candidates<'text>(
    metrics: impl Iterator<Item = MetricSnapshot<'text>>,
    skipped: &mut Vec<SkippedMetric>,
) -> Vec<Candidate<'text>> {
    let named = metrics.map(|metric| Candidate {
        name: text_name(&metric),
        metric,
    });
    let mut all: Vec<_> = named.filter(|named| !named.name.is_empty()).collect();
    all.sort_by(|a, b| (&a.name, a.metric.origin).cmp(&(&b.name, b.metric.origin)));
    let mut reasons = collisions(&all).into_iter();
    all.retain(|candidate| {
        let Some(reason) = reasons.next().flatten() else {
            return true;
        };
        skipped.push(SkippedMetric {
            name: candidate.name.to_string(),
            reason,
        });
        false
    });
    all
}

/// Returns for each metric the reason to skip it, or `None`.
fn collisions(all: &[Candidate<'_>]) -> Vec<Option<&'static str>> {
    let first_of = |name: &str| {
        let at = all.partition_point(|candidate| &*candidate.name < name);
        (at < all.len() && all[at].name == name).then_some(at)
    };
    let mut reasons = vec![None; all.len()];
    let mut start = 0;
    for same in all.chunk_by(|a, b| a.name == b.name) {
        let first = &same[0];
        let places = start..start + same.len();
        start = places.end;
        let kind = first.metric.kind.prometheus_type();
        for (candidate, reason) in same.iter().zip(&mut reasons[places.clone()]) {
            if candidate.metric.kind.prometheus_type() != kind {
                *reason = Some(OTHER_TYPE);
            }
        }
        let suffixes = ["_bucket", "_count", "_sum"].iter();
        let mut histograms = suffixes.filter_map(|suffix| first.name.strip_suffix(suffix));
        let Some(histogram) = histograms.find_map(first_of) else {
            continue;
        };
        let of_histogram = &all[histogram];
        if of_histogram.metric.kind == Kind::Histogram {
            let (places, reason) = match of_histogram.metric.origin <= first.metric.origin {
                true => (places, SAMPLE_OF_HISTOGRAM),
                false => {
                    let after = &all[histogram..];
                    let others = after.partition_point(|other| other.name == of_histogram.name);
                    (histogram..histogram + others, SAMPLE_IS_METRIC)
                }
            };
            reasons[places].fill(Some(reason));
        }
    }
    reasons
}
