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
mod labels;
mod numbers;
mod writer;

use std::collections::BTreeSet;

pub(crate) use self::families::SkippedMetric;
use self::{
    families::{Candidate, DUPLICATE_SERIES, candidates},
    labels::write_labels,
    writer::{Family, Writer},
};
use crate::metrics::snapshot::{Labels, MetricSnapshot};

/// Encodes one text after the other, and reuses what they have in common.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    writer: Writer,
    reported: BTreeSet<SkippedMetric>,
}

impl Exposition {
    /// Encodes metrics, in any order.
    pub(crate) fn text<'text>(
        &mut self,
        metrics: impl Iterator<Item = MetricSnapshot<'text>>,
    ) -> Written {
        let mut skipped = Vec::new();
        self.writer.begin();
        let all = candidates(metrics, &mut skipped);
        for same in all.chunk_by(|a, b| a.name == b.name) {
            let duplicates = self.writer.family(&same[0], |family| {
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

#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    /// Skipped metrics that have not been reported before.
    pub(crate) skipped: Vec<SkippedMetric>,
}

impl Candidate<'_> {
    fn write(&self, family: &mut Family<'_>) {
        let mut text = String::new();
        self.metric.visit(&mut |labels, point| match labels {
            Labels::Native(labels) => family.series(labels.text(), &point),
            Labels::Attributes(attributes) => {
                write_labels(&mut text, attributes, self.metric.kind);
                family.series(&text, &point);
            }
        });
    }
}
