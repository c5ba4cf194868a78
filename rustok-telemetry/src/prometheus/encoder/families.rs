//! Which metrics are in the text, in the order of their names; and which are not, since another has their name.
//!
//! Metrics of the catalogue have their names in any case, then the description of the service has its name, then come
//! metrics of other meters, in the order of their scopes. So the same ones are in the text of every replica.

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

/// A metric that there is to write.
pub(crate) struct Candidate<'text> {
    /// As it is in the text.
    pub(crate) name: Cow<'text, str>,
    pub(crate) help: &'text str,
    pub(crate) kind: Kind,
    rank: Rank<'text>,
    pub(crate) source: Source<'text>,
}

/// Where the series of a metric are.
pub(crate) enum Source<'text> {
    /// We keep them.
    Own(&'static dyn RegisteredMetric),
    /// The SDK has collected them.
    Sdk(&'text Metric),
    /// They are the one series that describes the service.
    Target(&'text Resource),
}

/// Of metrics whose names collide, the one with the lesser rank is in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank<'text> {
    Catalogue,
    Target,
    Other {
        scope: &'text str,
        version: Option<&'text str>,
    },
}

/// A metric that is not in the text, or not with all of its series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SkippedMetric {
    /// The metric's name in the text.
    pub(crate) name: String,
    /// Why.
    pub(crate) why: &'static str,
}

/// Another metric of the name is of another type.
const OTHER_TYPE: &str = "another metric of this name has another type";
/// A histogram has samples of the metric's name.
const OF_A_HISTOGRAM: &str = "a histogram has samples of this name";
/// The histogram's samples would have the name of another metric.
const TAKEN: &str = "another metric has the name of a sample of this histogram";
/// Some series is there already.
pub(crate) const REPEATED: &str = "some of its label sets are in another metric of this name";

impl<'text> Candidate<'text> {
    /// How the family begins.
    pub(crate) fn head(&self) -> Head<'_> {
        Head {
            name: &self.name,
            help: self.help,
            kind: self.kind.prometheus_type(),
        }
    }

    fn own(metric: &'static dyn RegisteredMetric) -> Self {
        let declaration = metric.declaration();
        Self {
            name: Cow::Borrowed(declaration.name),
            help: declaration.help,
            kind: declaration.kind,
            rank: Rank::Catalogue,
            source: Source::Own(metric),
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

/// All metrics, in the order of their names, and those of a name in the order of their rank. All of a name are of one
/// type.
pub(crate) fn candidates<'text>(
    own: &[&'static dyn RegisteredMetric],
    collected: &'text ResourceMetrics,
    left_out: &mut Vec<SkippedMetric>,
) -> Vec<Candidate<'text>> {
    let own = own.iter().map(|metric| Candidate::own(*metric));
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
    let mut all: Vec<_> = own.chain(target).chain(of_sdk).collect();
    all.sort_by(|a, b| (&a.name, a.rank).cmp(&(&b.name, b.rank)));
    let mut reasons = collisions(&all).into_iter();
    all.retain(|candidate| {
        let Some(why) = reasons.next().flatten() else {
            return true;
        };
        left_out.push(SkippedMetric {
            name: candidate.name.to_string(),
            why,
        });
        false
    });
    all
}

/// For each metric: why it cannot be in the text, if so.
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
            let (places, why) = match of_histogram.rank <= first.rank {
                true => (places, OF_A_HISTOGRAM),
                false => {
                    let after = &all[histogram..];
                    let others = after.partition_point(|other| other.name == of_histogram.name);
                    (histogram..histogram + others, TAKEN)
                }
            };
            reasons[places].fill(Some(why));
        }
    }
    reasons
}
