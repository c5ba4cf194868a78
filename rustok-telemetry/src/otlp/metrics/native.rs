//! Encodes native metrics, and those of registries of other libraries.

use std::{
    borrow::Cow,
    time::{SystemTime, UNIX_EPOCH},
};

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Exemplar, Gauge, Histogram, HistogramDataPoint, Metric,
        NumberDataPoint, Sum, exemplar, number_data_point::Value,
    },
};

use super::{
    collected::{GAUGE, HISTOGRAM, POINT, SUM, point_name},
    state::StateExport,
};
use crate::{
    metrics::{
        Kind,
        snapshot::{Labels, MetricSnapshot},
        store::{
            distribution::{Distribution, NumberValue},
            exemplars::{self, SpanIds},
            point::Point,
        },
    },
    otlp::requests::{ITEM, Requests},
};

/// The times of every data point, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    start: u64,
    now: u64,
}

impl Times {
    /// From `start` until now.
    pub(super) fn from(start: SystemTime) -> Self {
        // The clock may have been set back.
        let now = SystemTime::now().max(start);
        Self {
            start: nanoseconds(start),
            now: nanoseconds(now),
        }
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Adds metrics. Each data point is encoded when it is read, so only one is in memory.
pub(super) fn add_all<'a>(
    metrics: impl Iterator<Item = MetricSnapshot<'a>>,
    times: Times,
    state: &mut StateExport<'_>,
    requests: &mut Requests,
) {
    metrics.for_each(|metric| add(metric, times, state, requests));
}

fn add(
    metric: MetricSnapshot<'_>,
    times: Times,
    state: &mut StateExport<'_>,
    requests: &mut Requests,
) {
    let MetricSnapshot { name, kind, .. } = metric;
    let head = Metric {
        name: name.to_owned(),
        description: metric.help.to_owned(),
        unit: metric.unit.to_owned(),
        ..Metric::default()
    };
    requests.open(ITEM, &head);
    let cumulative = AggregationTemporality::Cumulative.into();
    let gauge = Gauge::default();
    let sum = Sum {
        aggregation_temporality: cumulative,
        is_monotonic: kind == Kind::Counter,
        ..Sum::default()
    };
    match kind {
        Kind::Gauge => requests.open(GAUGE, &gauge),
        Kind::Histogram => {
            let head = Histogram {
                aggregation_temporality: cumulative,
                ..Histogram::default()
            };
            requests.open(HISTOGRAM, &head);
        }
        _ => requests.open(SUM, &sum),
    }
    metric.visit(&mut |labels, point| {
        let value = match point {
            Point::Histogram(distribution) => {
                let mut point = buckets(&labels, distribution, times);
                point.exemplars = encode(metric.exemplars(&labels));
                return requests.add(POINT, &point, || point_name(name));
            }
            // The largest integer of OTLP.
            Point::Number(NumberValue::U64(value)) => {
                Value::AsInt(i64::try_from(value).unwrap_or(i64::MAX))
            }
            Point::Number(NumberValue::I64(value)) => Value::AsInt(value),
            Point::Number(NumberValue::F64(value)) => Value::AsDouble(value),
        };
        let mut point = number(&labels, value, times);
        point.exemplars = encode(metric.exemplars(&labels));
        match kind {
            Kind::Counter => requests.add(POINT, &point, || point_name(name)),
            _ => state.add(name, point, requests),
        }
    });
    requests.close();
    requests.close();
    match kind {
        Kind::Gauge => state.end(&head, GAUGE, &gauge, requests),
        _ => state.end(&head, SUM, &sum, requests),
    }
}

fn number(labels: &Labels<'_>, value: Value, times: Times) -> NumberDataPoint {
    NumberDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

fn buckets(labels: &Labels<'_>, all: Distribution, times: Times) -> HistogramDataPoint {
    let [min, max] = match all.extremes {
        Some(extremes) => extremes.map(Some),
        None => [None; 2],
    };
    HistogramDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        count: all.count,
        sum: Some(all.sum.as_f64()),
        explicit_bounds: all.boundaries.to_vec(),
        bucket_counts: all.counts,
        min,
        max,
        ..HistogramDataPoint::default()
    }
}

/// Encodes exemplars. One that was recorded outside of a span has no ids.
pub(super) fn encode(exemplars: Vec<(usize, exemplars::Exemplar)>) -> Vec<Exemplar> {
    let encode = |(_, exemplar): (usize, exemplars::Exemplar)| {
        let SpanIds { trace, span } = exemplar.span;
        let id = |bytes: &[u8]| match span {
            0 => Vec::new(),
            _ => bytes.to_vec(),
        };
        Exemplar {
            trace_id: id(&trace.to_be_bytes()),
            span_id: id(&span.to_be_bytes()),
            time_unix_nano: exemplar.time,
            value: Some(exemplar::Value::AsDouble(exemplar.value)),
            ..Exemplar::default()
        }
    };
    exemplars.into_iter().map(encode).collect()
}

fn attributes(labels: &Labels<'_>) -> Vec<KeyValue> {
    let attribute = |(name, value): (&str, Cow<'_, str>)| KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(value.into_owned())),
        }),
        ..KeyValue::default()
    };
    labels.iter().map(attribute).collect()
}
