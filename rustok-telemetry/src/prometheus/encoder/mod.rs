//! Encodes native metrics and those that the SDK collected in the Prometheus text format, version 0.0.4.
//!
//! The text is the one that `opentelemetry-prometheus` and `prometheus::TextEncoder` write, with names as declared:
//! no suffix is added for units or counters, and no label for scopes. `tests/exposition/reference.rs` compares them.
//!
//! # Differences
//!
//! The reference can produce a text that Prometheus rejects or misreads. Therefore:
//!
//! - Of metrics with the same name, only those with the type of the first are written; likewise of a metric `x_count`
//!   beside a histogram `x`. `families.rs` defines the order.
//! - Of series with the same name and labels, only the first is written.
//! - Labels do not begin with a digit and have no `:`. A label `__name__` becomes `exported___name__`, and a label `le`
//!   of a histogram becomes `exported_le`.
//!
//! Each skipped metric is logged once.

mod bounds;
mod families;
#[cfg(feature = "testing")]
mod isolated;
mod numbers;
mod sdk;
mod writer;

use std::collections::BTreeSet;

use opentelemetry_sdk::metrics::data::ResourceMetrics;

pub(crate) use self::families::SkippedMetric;
#[cfg(feature = "testing")]
pub(crate) use self::isolated::text_of;
use self::{
    families::{Candidate, DUPLICATE_SERIES, Source, candidates},
    sdk::Labels,
    writer::{Family, Writer},
};
use crate::metrics::{registered::RegisteredMetric, store::point::Point};

/// Encodes one text after the other, and reuses what they have in common.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    writer: Writer,
    reported: BTreeSet<SkippedMetric>,
}

impl Exposition {
    /// Encodes the native metrics and a collection of the SDK.
    pub(crate) fn text(
        &mut self,
        native: &[&'static dyn RegisteredMetric],
        collected: &ResourceMetrics,
    ) -> Written {
        let mut skipped = Vec::new();
        self.writer.begin();
        let all = candidates(native, collected, &mut skipped);
        for same in all.chunk_by(|a, b| a.name == b.name) {
            let duplicates = self.writer.family(same[0].head(), |family| {
                same.iter().for_each(|candidate| candidate.write(family));
            });
            if duplicates > 0 {
                skipped.push(SkippedMetric {
                    name: same[0].name.to_string(),
                    reason: DUPLICATE_SERIES,
                });
            }
        }
        skipped.retain(|metric| self.reported.insert(metric.clone()));
        Written {
            text: self.writer.end(),
            skipped,
        }
    }
}

/// An encoded text.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    /// Skipped metrics that have not been reported before.
    pub(crate) skipped: Vec<SkippedMetric>,
}

impl Candidate<'_> {
    fn write(&self, family: &mut Family<'_>) {
        match self.source {
            Source::Native(metric) => {
                metric.read(&mut |labels, point| write_point(family, &labels.text(), &point));
            }
            Source::Sdk(metric) => sdk::write(metric, family),
            Source::Target(resource) => {
                let attributes = resource.iter().map(|(key, value)| (key.as_str(), value));
                family.number(Labels::default().of(attributes), 1_u64);
            }
        }
    }
}

fn write_point(family: &mut Family<'_>, labels: &str, point: &Point) {
    match point {
        Point::U64(number) => family.number(labels, *number),
        Point::I64(number) => family.number(labels, *number),
        Point::F64(number) => family.number(labels, *number),
        Point::Histogram(all) => {
            let counts = all.counts.iter().copied();
            family.histogram(labels, &all.boundaries, counts, all.count(), all.sum);
        }
    }
}
