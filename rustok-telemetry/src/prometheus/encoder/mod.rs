//! Encodes native metrics and those that the SDK collected in the Prometheus text format, version 0.0.4, and in
//! OpenMetrics 1.0.0 (`openmetrics.rs`).
//!
//! The Prometheus text is the one that `opentelemetry-prometheus` and `prometheus::TextEncoder` write, with names as declared:
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
mod openmetrics;
mod writer;

use std::collections::BTreeSet;

pub(crate) use self::families::SkippedMetric;
use self::{
    families::{Candidate, DUPLICATE_SERIES, candidates},
    labels::write_labels,
    writer::{Family, Head, Writer},
};
use crate::metrics::snapshot::{Labels, MetricSnapshot};

/// A format of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The Prometheus text format, version 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0, with exemplars.
    OpenMetrics,
}

impl Format {
    /// Returns the value of the `Content-Type` header.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Encodes one text after the other, and reuses what those of a format have in common.
#[derive(Debug)]
pub(crate) struct Exposition {
    prometheus: Writer,
    openmetrics: Writer,
    reported: BTreeSet<SkippedMetric>,
}

impl Default for Exposition {
    fn default() -> Self {
        Self {
            prometheus: Writer::new(Format::Prometheus),
            openmetrics: Writer::new(Format::OpenMetrics),
            reported: BTreeSet::new(),
        }
    }
}

impl Exposition {
    /// Encodes metrics, in any order.
    pub(crate) fn text<'text>(
        &mut self,
        format: Format,
        metrics: impl Iterator<Item = MetricSnapshot<'text>>,
    ) -> Written {
        let mut skipped = Vec::new();
        let writer = match format {
            Format::Prometheus => &mut self.prometheus,
            Format::OpenMetrics => &mut self.openmetrics,
        };
        writer.begin();
        let all = candidates(metrics, &mut skipped);
        for same in all.chunk_by(|a, b| a.name == b.name) {
            let head = match format {
                Format::Prometheus => Head::of(&same[0]),
                Format::OpenMetrics => openmetrics::head(&same[0], &all),
            };
            let duplicates = writer.family(&head, &same[0].name, |family| {
                same.iter()
                    .for_each(|candidate| candidate.write(format, family));
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
            text: writer.end(),
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
    fn write(&self, format: Format, family: &mut Family<'_>) {
        let mut text = String::new();
        self.metric.visit(&mut |labels, point| {
            let exemplars = match format {
                Format::Prometheus => Vec::new(),
                Format::OpenMetrics => self.metric.exemplars(&labels),
            };
            match labels {
                Labels::Native(labels) => family.series(labels.text(), &point, &exemplars),
                Labels::Attributes(attributes) => {
                    write_labels(&mut text, attributes, self.metric.kind);
                    family.series(&text, &point, &exemplars);
                }
            }
        });
    }
}
