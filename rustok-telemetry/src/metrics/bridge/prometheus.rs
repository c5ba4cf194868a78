//! Registries of the `prometheus` crate.

use ::prometheus::proto::{self, MetricFamily, MetricType};
use opentelemetry::KeyValue;

use super::{GatheredMetric, ReadAhead, Registry};
use crate::metrics::{
    Kind,
    store::{
        distribution::{Distribution, NumberValue},
        point::Point,
    },
};

/// `name` describes the registry in the health.
pub(crate) fn registry(name: String, registry: ::prometheus::Registry) -> Registry {
    ReadAhead::new(name, move || {
        registry.gather().iter().flat_map(metrics).collect()
    })
}

/// Returns the metrics of a family: three of a summary, for its quantiles, its sum and its count. None of an untyped
/// family, whose values the crate does not return.
fn metrics(family: &MetricFamily) -> Vec<GatheredMetric> {
    let metric = |suffix, kind, series| GatheredMetric {
        name: [family.name(), suffix].concat(),
        help: family.help().to_owned(),
        kind,
        series,
    };
    let each = |value: fn(&proto::Metric) -> Point| {
        let metrics = family.get_metric().iter();
        metrics.map(|it| (labels(it), value(it))).collect()
    };
    match family.get_field_type() {
        MetricType::COUNTER => {
            let values = each(|it| number(it.get_counter().value()));
            vec![metric("", Kind::Counter, values)]
        }
        MetricType::GAUGE => {
            let values = each(|it| number(it.get_gauge().value()));
            vec![metric("", Kind::Gauge, values)]
        }
        MetricType::HISTOGRAM => {
            let values = each(|it| distribution(it.get_histogram()));
            vec![metric("", Kind::Histogram, values)]
        }
        MetricType::SUMMARY => {
            let sums = each(|it| number(it.get_summary().sample_sum()));
            let counts = each(|it| number(it.get_summary().sample_count()));
            let quantiles = family.get_metric().iter().flat_map(quantiles).collect();
            vec![
                metric("", Kind::Gauge, quantiles),
                metric("_sum", Kind::Counter, sums),
                metric("_count", Kind::Counter, counts),
            ]
        }
        _ => Vec::new(),
    }
}

fn quantiles(summary: &proto::Metric) -> Vec<(Vec<KeyValue>, Point)> {
    let quantiles = summary.get_summary().get_quantile().iter();
    quantiles
        .map(|quantile| {
            let mut labels = labels(summary);
            labels.push(KeyValue::new("quantile", quantile.quantile().to_string()));
            (labels, number(quantile.value()))
        })
        .collect()
}

fn labels(metric: &proto::Metric) -> Vec<KeyValue> {
    let labels = metric.get_label().iter();
    labels
        .map(|label| KeyValue::new(label.name().to_owned(), label.value().to_owned()))
        .collect()
}

fn number(value: impl Into<NumberValue>) -> Point {
    Point::Number(value.into())
}

/// Returns a histogram, whose buckets are cumulative in the registry.
fn distribution(histogram: &proto::Histogram) -> Point {
    let (mut boundaries, mut counts, mut below) = (Vec::new(), Vec::new(), 0);
    for bucket in histogram.get_bucket() {
        let bound = bucket.upper_bound();
        // Repeated and falling bounds would make the text invalid: their values are in the next bucket.
        let rises = boundaries.last().is_none_or(|last| bound > *last);
        if rises && bound < f64::INFINITY {
            let cumulative = bucket.cumulative_count().max(below);
            boundaries.push(bound);
            counts.push(cumulative - below);
            below = cumulative;
        }
    }
    let count = histogram.get_sample_count().max(below);
    counts.push(count - below);
    Point::Histogram(Distribution {
        boundaries: boundaries.into(),
        counts,
        count,
        sum: histogram.get_sample_sum().into(),
        extremes: None,
    })
}

/// Returns the value of a counter or a gauge. With the crate's feature `protobuf`, which another crate may enable, these
/// types have a method `value`, else a method `get_value`; it has precedence over that of this trait.
#[allow(dead_code, reason = "which methods are used depends on the feature")]
trait ValueOf {
    fn value(&self) -> f64;

    fn get_value(&self) -> f64 {
        self.value()
    }
}

impl ValueOf for proto::Counter {
    fn value(&self) -> f64 {
        self.get_value()
    }
}

impl ValueOf for proto::Gauge {
    fn value(&self) -> f64 {
        self.get_value()
    }
}
