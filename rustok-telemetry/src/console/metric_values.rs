//! The current value of each series: those of native storage and those that the SDK collects.

use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::{
    data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics},
    reader::MetricReader as _,
};

use super::frames::{Shape, Value, push_varint};
use crate::{
    metrics::{Kind, meter_provider::WAKE_SCOPE, registered::ALL, store::point::Point},
    prometheus::reader::TextReader,
};

/// A metric, as the page shows it.
#[derive(Debug)]
pub(super) struct Head<'metric> {
    pub(super) name: &'metric str,
    pub(super) help: &'metric str,
    pub(super) unit: &'metric str,
    pub(super) kind: &'static str,
    pub(super) bounds: &'metric [f64],
}

/// Receives a metric, the [key](LabelKey) of a series, and its value.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&Head<'_>, &[u8], Shape, Value);

/// Collects the metrics of the SDK, which runs every callback. A panic of one leaves this collection empty.
pub(super) fn collect(reader: &TextReader, collected: &mut ResourceMetrics) {
    let collection = AssertUnwindSafe(|| reader.collect(collected));
    if !matches!(catch_unwind(collection), Ok(Ok(()))) {
        *collected = ResourceMetrics::default();
    }
}

/// Visits every series.
pub(super) fn visit(collected: &ResourceMetrics, visit: Visit<'_>) {
    let mut key = LabelKey::default();
    for metric in ALL {
        let declaration = metric.declaration();
        metric.read(&mut |labels, point| {
            let key = key.of(labels.iter());
            let mut head = Head {
                name: declaration.name,
                help: declaration.help,
                unit: declaration.unit,
                kind: kind(declaration.kind),
                bounds: &[],
            };
            match point {
                Point::U64(value) => visit(&head, key, Shape::Unsigned, Value::Integer(value)),
                Point::I64(value) => {
                    visit(&head, key, Shape::Signed, Value::Integer(value as u64));
                }
                Point::F64(value) => visit(&head, key, Shape::Float, Value::Float(value)),
                Point::Histogram(all) => {
                    head.bounds = &all.boundaries;
                    let (shape, value) = histogram(all.sum, all.counts);
                    visit(&head, key, shape, value);
                }
            }
        });
    }
    let scopes = collected.scope_metrics();
    for scope in scopes.filter(|scope| scope.scope().name() != WAKE_SCOPE) {
        for metric in scope.metrics() {
            match metric.data() {
                AggregatedMetrics::U64(data) => points(metric, data, &mut key, visit),
                AggregatedMetrics::I64(data) => points(metric, data, &mut key, visit),
                AggregatedMetrics::F64(data) => points(metric, data, &mut key, visit),
            }
        }
    }
}

fn points<T>(metric: &Metric, data: &MetricData<T>, key: &mut LabelKey, visit: Visit<'_>)
where
    T: Copy + Into<Number>,
{
    let mut head = Head {
        name: metric.name(),
        help: metric.description(),
        unit: metric.unit(),
        kind: kind(Kind::Gauge),
        bounds: &[],
    };
    match data {
        MetricData::Gauge(gauge) => {
            for point in gauge.data_points() {
                let Number(shape, value) = point.value().into();
                visit(&head, key.of_attributes(point.attributes()), shape, value);
            }
        }
        MetricData::Sum(sum) => {
            head.kind = match sum.is_monotonic() {
                true => kind(Kind::Counter),
                false => kind(Kind::UpDownCounter),
            };
            for point in sum.data_points() {
                let Number(shape, value) = point.value().into();
                visit(&head, key.of_attributes(point.attributes()), shape, value);
            }
        }
        MetricData::Histogram(all) => {
            head.kind = kind(Kind::Histogram);
            for point in all.data_points() {
                let bounds: Vec<_> = point.bounds().collect();
                let sum = match point.sum().into() {
                    Number(Shape::Signed, Value::Integer(sum)) => sum as i64 as f64,
                    Number(_, Value::Integer(sum)) => sum as f64,
                    Number(_, Value::Float(sum)) => sum,
                    Number(..) => 0.0,
                };
                let (shape, value) = histogram(sum, point.bucket_counts().collect());
                let head = Head {
                    bounds: &bounds,
                    ..head
                };
                visit(&head, key.of_attributes(point.attributes()), shape, value);
            }
        }
        // The page draws buckets with bounds.
        MetricData::ExponentialHistogram(_) => {}
    }
}

/// A number of the SDK.
struct Number(Shape, Value);

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(Shape::Unsigned, Value::Integer(number))
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self(Shape::Signed, Value::Integer(number as u64))
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self(Shape::Float, Value::Float(number))
    }
}

fn histogram(sum: f64, counts: Vec<u64>) -> (Shape, Value) {
    let (shape, counts) = (Shape::Histogram(counts.len()), counts.into());
    (shape, Value::Histogram { sum, counts })
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter | Kind::ObservableCounter => "counter",
        Kind::UpDownCounter => "up_down_counter",
        Kind::Gauge | Kind::ObservableGauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

/// Writes the labels of a series as bytes that only these labels have; [`labels`](super::history::labels) reads them.
#[derive(Default)]
struct LabelKey(Vec<u8>);

impl LabelKey {
    fn of<'label>(
        &mut self,
        labels: impl Iterator<Item = (&'label str, impl AsRef<str>)>,
    ) -> &[u8] {
        self.0.clear();
        for (name, value) in labels {
            for text in [name, value.as_ref()] {
                push_varint(&mut self.0, text.len() as u64);
                self.0.extend(text.as_bytes());
            }
        }
        &self.0
    }

    /// Attributes have no order of their own.
    fn of_attributes<'label>(
        &mut self,
        attributes: impl Iterator<Item = &'label KeyValue>,
    ) -> &[u8] {
        let mut labels: Vec<_> = attributes
            .map(|attribute| (attribute.key.as_str(), attribute.value.as_str()))
            .collect();
        labels.sort_unstable();
        self.of(labels.into_iter())
    }
}
