//! The metrics of the text, ordered by name, and the metrics that are skipped because of a name collision.
//!
//! Metrics of the catalogue have precedence over `target_info`, which has precedence over metrics of other meters, in
//! the order of their scopes. So every replica has the same metrics in its text.

use std::borrow::Cow;

use opentelemetry_sdk::{
    Resource,
    metrics::data::{Metric, ResourceMetrics},
};

use super::{sdk, writer::Head};
use crate::metrics::{
    Kind,
    meter_provider::{SCOPE, WAKE_SCOPE},
    registered::RegisteredMetric,
};

/// A metric that may be in the text.
pub(crate) struct Candidate<'text> {
    /// Name in the text.
    pub(crate) name: Cow<'text, str>,
    pub(crate) help: &'text str,
    pub(crate) kind: Kind,
    rank: Rank<'text>,
    pub(crate) source: Source<'text>,
}

/// Source of a metric's series.
pub(crate) enum Source<'text> {
    /// Native storage.
    Native(&'static dyn RegisteredMetric),
    /// A collection of the SDK.
    Sdk(&'text Metric),
    /// The resource, as `target_info`.
    Target(&'text Resource),
}

/// Precedence of metrics with the same name, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank<'text> {
    Catalogue,
    Target,
    Other {
        scope: &'text str,
        version: Option<&'text str>,
    },
}

/// A metric that is not in the text with all of its series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SkippedMetric {
    /// Name in the text.
    pub(crate) name: String,
    /// Reason, for the log.
    pub(crate) reason: &'static str,
}

const OTHER_TYPE: &str = "another metric of this name has another type";
const SAMPLE_OF_HISTOGRAM: &str = "a histogram has samples of this name";
const SAMPLE_IS_METRIC: &str = "another metric has the name of a sample of this histogram";
pub(crate) const DUPLICATE_SERIES: &str =
    "some of its label sets are in another metric of this name";

impl<'text> Candidate<'text> {
    /// Returns the head of the metric's family.
    pub(crate) fn head(&self) -> Head<'_> {
        Head {
            name: &self.name,
            help: self.help,
            kind: self.kind.prometheus_type(),
        }
    }

    fn native(metric: &'static dyn RegisteredMetric) -> Self {
        let declaration = metric.declaration();
        Self {
            name: Cow::Borrowed(declaration.name),
            help: declaration.help,
            kind: declaration.kind,
            rank: Rank::Catalogue,
            source: Source::Native(metric),
        }
    }

    fn target(resource: &'text Resource) -> Self {
        Self {
            name: Cow::Borrowed("target_info"),
            help: "Target metadata",
            kind: Kind::Gauge,
            rank: Rank::Target,
            source: Source::Target(resource),
        }
    }

    fn of_sdk(rank: Rank<'text>, metric: &'text Metric) -> Option<Self> {
        Some(Self {
            name: Some(sdk::metric_name(metric.name())).filter(|name| !name.is_empty())?,
            help: metric.description(),
            kind: sdk::kind(metric)?,
            rank,
            source: Source::Sdk(metric),
        })
    }
}

/// Returns the metrics of the text, ordered by name and rank; those with the same name have the same type. Adds the
/// others to `skipped`.
pub(crate) fn candidates<'text>(
    native: &[&'static dyn RegisteredMetric],
    collected: &'text ResourceMetrics,
    skipped: &mut Vec<SkippedMetric>,
) -> Vec<Candidate<'text>> {
    let native = native.iter().map(|metric| Candidate::native(*metric));
    let target =
        (!collected.resource().is_empty()).then(|| Candidate::target(collected.resource()));
    let scopes = collected.scope_metrics().map(|metrics| {
        let scope = metrics.scope();
        let rank = match scope.name() {
            SCOPE => Rank::Catalogue,
            name => Rank::Other {
                scope: name,
                version: scope.version(),
            },
        };
        (rank, metrics)
    });
    let of_sdk = scopes
        .filter(|(_, metrics)| metrics.scope().name() != WAKE_SCOPE)
        .flat_map(|(rank, metrics)| {
            let metrics = metrics.metrics();
            metrics.filter_map(move |metric| Candidate::of_sdk(rank, metric))
        });
    let mut all: Vec<_> = native.chain(target).chain(of_sdk).collect();
    all.sort_by(|a, b| (&a.name, a.rank).cmp(&(&b.name, b.rank)));
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
        let kind = first.kind.prometheus_type();
        for (candidate, reason) in same.iter().zip(&mut reasons[places.clone()]) {
            if candidate.kind.prometheus_type() != kind {
                *reason = Some(OTHER_TYPE);
            }
        }
        let suffixes = ["_bucket", "_count", "_sum"].iter();
        let mut histograms = suffixes.filter_map(|suffix| first.name.strip_suffix(suffix));
        let Some(histogram) = histograms.find_map(first_of) else {
            continue;
        };
        let of_histogram = &all[histogram];
        if of_histogram.kind == Kind::Histogram {
            let (places, reason) = match of_histogram.rank <= first.rank {
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
