//! All metrics in Prometheus' text format, version 0.0.4: those whose numbers we keep, and those that the SDK collects.
//!
//! The text is what `opentelemetry-prometheus` and `prometheus::TextEncoder` would write, with names as declared:
//! nothing is added for units, counters or scopes. `reference.rs` compares them.
//!
//! # Where it differs
//!
//! Theirs can be a text that Prometheus refuses, or reads otherwise than meant. So here
//!
//! - of metrics of the same name but of different types, only those of the first's are in the text. Likewise one that
//!   has the name of a histogram's samples (`x_count` beside a histogram `x`).
//! - of series with the same name and labels, only the first is. Who is first, `families.rs` says.
//! - a label begins with no digit and has no `:`. `__name__` is called `exported___name__`, and a histogram's own `le`
//!   `exported_le`.
//!
//! What is left out is logged once.

mod bounds;
mod families;
#[cfg(any(test, feature = "testing"))]
mod isolated;
mod numbers;
#[cfg(test)]
mod reference;
mod sdk;
mod writer;

use std::collections::BTreeSet;

use opentelemetry_sdk::metrics::data::ResourceMetrics;

pub(crate) use self::families::SkippedMetric;
#[cfg(any(test, feature = "testing"))]
pub(crate) use self::isolated::text_of;
use self::{
    families::{Candidate, REPEATED, Source, candidates},
    sdk::Labels,
    writer::{Family, Writer},
};
use crate::metrics::{registered::RegisteredMetric, store::point::Point};

/// Writes texts. It keeps what is the same in all of them.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    writer: Writer,
    told: BTreeSet<SkippedMetric>,
}

impl Exposition {
    /// The text of our own metrics and of what the SDK has collected.
    pub(crate) fn text(
        &mut self,
        own: &[&'static dyn RegisteredMetric],
        collected: &ResourceMetrics,
    ) -> Written {
        let mut left_out = Vec::new();
        self.writer.begin();
        let all = candidates(own, collected, &mut left_out);
        for same in all.chunk_by(|a, b| a.name == b.name) {
            let repeated = self.writer.family(same[0].head(), |family| {
                same.iter().for_each(|candidate| candidate.write(family));
            });
            if repeated > 0 {
                left_out.push(SkippedMetric {
                    name: same[0].name.to_string(),
                    why: REPEATED,
                });
            }
        }
        left_out.retain(|metric| self.told.insert(metric.clone()));
        Written {
            text: self.writer.end(),
            left_out,
        }
    }
}

/// A text.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) text: String,
    /// What is not in it, and has not been told before.
    pub(crate) left_out: Vec<SkippedMetric>,
}

impl Candidate<'_> {
    fn write(&self, family: &mut Family<'_>) {
        match self.source {
            Source::Own(metric) => {
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
