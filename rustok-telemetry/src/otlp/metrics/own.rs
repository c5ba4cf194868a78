//! The metrics that we keep, in the words of OTLP.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value},
    metrics::v1::{
        AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
        metric::Data, number_data_point::Value,
    },
};

use crate::metrics::{
    Kind,
    distribution::Distribution,
    point::{Point, SeriesLabels},
    registered::{ALL, Registered},
};

/// The times of every data point, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    start: u64,
    now: u64,
}

impl Times {
    /// From then until now.
    pub(super) fn from(start: SystemTime) -> Self {
        // A clock that was set back makes no point end before it starts.
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

/// Every metric of which we keep some series.
pub(super) fn metrics(times: Times) -> Vec<Metric> {
    let metrics = ALL.iter();
    metrics
        .filter_map(|metric| convert(*metric, times))
        .collect()
}

fn convert(metric: &dyn Registered, times: Times) -> Option<Metric> {
    let declaration = metric.declaration();
    let data = match declaration.kind {
        Kind::Counter => sum(metric, times, true),
        Kind::UpDownCounter => sum(metric, times, false),
        Kind::Gauge => gauge(metric, times),
        Kind::Histogram => histogram(metric, times),
        Kind::ObservableGauge | Kind::ObservableCounter => None,
    };
    Some(Metric {
        name: declaration.name.to_owned(),
        description: declaration.help.to_owned(),
        unit: declaration.unit.to_owned(),
        metadata: Vec::new(),
        data: Some(data?),
    })
}

fn sum(metric: &dyn Registered, times: Times, is_monotonic: bool) -> Option<Data> {
    Some(Data::Sum(Sum {
        data_points: numbers(metric, times)?,
        aggregation_temporality: AggregationTemporality::Cumulative.into(),
        is_monotonic,
    }))
}

fn gauge(metric: &dyn Registered, times: Times) -> Option<Data> {
    let data_points = numbers(metric, times)?;
    Some(Data::Gauge(Gauge { data_points }))
}

fn histogram(metric: &dyn Registered, times: Times) -> Option<Data> {
    let data_points = points(metric, |labels, point| match point {
        Point::Histogram(distribution) => Some(buckets(labels, distribution, times)),
        Point::U64(_) | Point::I64(_) | Point::F64(_) => None,
    });
    Some(Data::Histogram(Histogram {
        data_points: data_points?,
        aggregation_temporality: AggregationTemporality::Cumulative.into(),
    }))
}

fn numbers(metric: &dyn Registered, times: Times) -> Option<Vec<NumberDataPoint>> {
    points(metric, |labels, point| {
        let value = match point {
            // OTLP has no larger integer.
            Point::U64(value) => Value::AsInt(i64::try_from(value).unwrap_or(i64::MAX)),
            Point::I64(value) => Value::AsInt(value),
            Point::F64(value) => Value::AsDouble(value),
            Point::Histogram(_) => return None,
        };
        Some(NumberDataPoint {
            attributes: attributes(labels),
            start_time_unix_nano: times.start,
            time_unix_nano: times.now,
            value: Some(value),
            ..NumberDataPoint::default()
        })
    })
}

fn buckets(labels: SeriesLabels<'_>, all: Distribution, times: Times) -> HistogramDataPoint {
    let [min, max] = match all.extremes {
        Some(extremes) => extremes.map(Some),
        None => [None; 2],
    };
    HistogramDataPoint {
        attributes: attributes(labels),
        start_time_unix_nano: times.start,
        time_unix_nano: times.now,
        count: all.count(),
        sum: Some(all.sum),
        explicit_bounds: all.boundaries.to_vec(),
        bucket_counts: all.counts,
        min,
        max,
        ..HistogramDataPoint::default()
    }
}

/// A data point for each series, if there is any.
fn points<P>(
    metric: &dyn Registered,
    convert: impl Fn(SeriesLabels<'_>, Point) -> Option<P>,
) -> Option<Vec<P>> {
    let mut points = Vec::new();
    metric.read(&mut |labels, point| points.extend(convert(labels, point)));
    (!points.is_empty()).then_some(points)
}

fn attributes(labels: SeriesLabels<'_>) -> Vec<KeyValue> {
    let attribute = |(name, value): (&str, &str)| KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    };
    labels.iter().map(attribute).collect()
}
