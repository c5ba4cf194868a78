//! The crate `prometheus-client`: the labels are a struct that owns its values.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Metric, Registry},
};

use super::{Kind, seconds};
use crate::{
    contender::Contender,
    declared::{BOUNDARIES, sum_in_text},
};

const NAME: &str = "prometheus-client, `Family`";

/// The labels of a series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Labels {
    event_type: String,
    tenant_id: String,
}

impl From<[&str; 2]> for Labels {
    fn from([event_type, tenant_id]: [&str; 2]) -> Self {
        Self {
            event_type: event_type.to_owned(),
            tenant_id: tenant_id.to_owned(),
        }
    }
}

/// A histogram for each label set.
pub(crate) type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

pub(crate) fn histograms() -> Histograms {
    Family::new_with_constructor(|| Histogram::new(BOUNDARIES.iter().copied()))
}

pub(super) fn contender(kind: Kind) -> Contender {
    match kind {
        Kind::Counter => {
            let counters = Family::<Labels, Counter>::default();
            let held = held(counters.clone(), "metric_total");
            let add = move |labels: [&str; 2], _| {
                counters.get_or_create(&labels.into()).inc();
            };
            Contender::new(NAME, add, held)
        }
        Kind::Gauge => {
            let gauges = Family::<Labels, Gauge>::default();
            let held = held(gauges.clone(), "metric");
            let set = move |labels: [&str; 2], number| {
                gauges.get_or_create(&labels.into()).set(number as i64);
            };
            Contender::new(NAME, set, held)
        }
        Kind::Histogram => {
            let histograms = histograms();
            let held = held(histograms.clone(), "metric_count");
            let record = move |labels: [&str; 2], set| {
                histograms
                    .get_or_create(&labels.into())
                    .observe(seconds(set))
            };
            Contender::new(NAME, record, held)
        }
    }
}

fn held(metric: impl Metric, sample: &'static str) -> impl Fn() -> u64 + Sync {
    let mut registry = Registry::default();
    registry.register("metric", "help", metric);
    move || {
        let mut text = String::new();
        encode(&mut text, &registry).expect("the text is written");
        sum_in_text(&text, sample)
    }
}
