//! The crate `prometheus`.

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, core::Collector,
    proto::MetricFamily,
};

use super::{Kind, seconds};
use crate::{contender::Contender, declared::BOUNDARIES};

const NAME: &str = "prometheus, `with_label_values`";
const LABELS: [&str; 2] = ["event_type", "tenant_id"];

pub(super) fn contender(kind: Kind) -> Contender {
    match kind {
        Kind::Counter => {
            let counter =
                IntCounterVec::new(Opts::new("counter", "help"), &LABELS).expect("a valid metric");
            let add = {
                let counter = counter.clone();
                move |labels: [&str; 2], _| counter.with_label_values(&labels).inc()
            };
            Contender::new(NAME, add, move || held(&counter.collect()))
        }
        Kind::Gauge => {
            let gauge =
                IntGaugeVec::new(Opts::new("gauge", "help"), &LABELS).expect("a valid metric");
            let set = {
                let gauge = gauge.clone();
                move |labels: [&str; 2], number| gauge.with_label_values(&labels).set(number as i64)
            };
            Contender::new(NAME, set, move || held(&gauge.collect()))
        }
        Kind::Histogram => {
            let histogram = histogram();
            let record = {
                let histogram = histogram.clone();
                move |labels: [&str; 2], set| {
                    histogram.with_label_values(&labels).observe(seconds(set))
                }
            };
            Contender::new(NAME, record, move || held(&histogram.collect()))
        }
    }
}

pub(crate) fn histogram() -> HistogramVec {
    let options = HistogramOpts::new("histogram", "help").buckets(BOUNDARIES.to_vec());
    HistogramVec::new(options, &LABELS).expect("a valid metric")
}

fn held(families: &[MetricFamily]) -> u64 {
    families
        .iter()
        .flat_map(MetricFamily::get_metric)
        .map(|metric| {
            let histogram = metric.get_histogram().get_sample_count();
            let number = metric.get_counter().value() + metric.get_gauge().value();
            histogram + number as u64
        })
        .sum()
}
