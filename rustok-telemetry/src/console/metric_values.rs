//! The current value of each series: those of native storage, those that the SDK collects, and those of registries of
//! other libraries.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    str,
};

use opentelemetry_sdk::metrics::{data::ResourceMetrics, reader::MetricReader as _};
use prost::encoding::encode_varint;

use super::frames::{Reader, Value};
use crate::metrics::{
    Kind, bridge,
    on_demand_reader::OnDemandReader,
    snapshot::{self, Labels},
    store::{distribution::NumberValue, point::Point},
};

/// A metric, as the page shows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'metric> {
    pub(super) name: &'metric str,
    pub(super) help: &'metric str,
    pub(super) unit: &'metric str,
    pub(super) kind: &'static str,
    pub(super) bounds: &'metric [f64],
}

/// A series of a metric.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    /// Of a series in native storage, as long as the process lives.
    pub(super) identity: Option<usize>,
    /// Writes the labels as bytes that only these labels have.
    pub(super) write: &'a dyn Fn(&mut Vec<u8>),
}

/// Receives a metric, a series of it, and its value.
pub(super) type Visit<'a> = &'a mut dyn FnMut(Head<'_>, Key<'_>, Value);

/// Collects the metrics of the SDK, which runs every callback. A panic of one leaves this collection empty.
pub(super) fn collect(reader: &OnDemandReader, collected: &mut ResourceMetrics) {
    let collection = AssertUnwindSafe(|| reader.collect(collected));
    if !matches!(catch_unwind(collection), Ok(Ok(()))) {
        *collected = ResourceMetrics::default();
    }
}

/// Visits every series; of those with the same name and labels, the one with precedence first.
pub(super) fn visit(collected: &ResourceMetrics, visit: Visit<'_>) {
    let gathered = bridge::gather();
    let mut metrics: Vec<_> = snapshot::metrics(collected, &gathered).collect();
    metrics.sort_by_key(|metric| metric.origin);
    for metric in metrics {
        let head = Head {
            name: metric.name,
            help: metric.help,
            unit: metric.unit,
            kind: kind(metric.kind),
            bounds: &[],
        };
        metric.visit(&mut |labels, point| {
            let key = Key {
                identity: match &labels {
                    Labels::Native(labels) => Some(labels.identity()),
                    Labels::Attributes(_) => None,
                },
                write: &|key| write_key(&labels, key),
            };
            match point {
                Point::Number(NumberValue::U64(value)) => visit(head, key, Value::Unsigned(value)),
                Point::Number(NumberValue::I64(value)) => visit(head, key, Value::Signed(value)),
                Point::Number(NumberValue::F64(value)) => visit(head, key, Value::Float(value)),
                Point::Histogram(all) => {
                    let counts = match all.counts.is_empty() {
                        true => [all.count].into(),
                        false => all.counts.into(),
                    };
                    let sum = all.sum.as_f64();
                    let bounds = &all.boundaries;
                    visit(
                        Head { bounds, ..head },
                        key,
                        Value::Histogram { sum, counts },
                    );
                }
            }
        });
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter | Kind::ObservableCounter => "counter",
        Kind::UpDownCounter => "up_down_counter",
        Kind::Gauge | Kind::ObservableGauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

/// Writes the labels of a series, which have no order of their own.
fn write_key(labels: &Labels<'_>, key: &mut Vec<u8>) {
    let mut labels: Vec<_> = labels.iter().collect();
    labels.sort_unstable();
    for (name, value) in &labels {
        push_text(key, name);
        push_text(key, value);
    }
}

pub(super) fn push_text(key: &mut Vec<u8>, text: &str) {
    encode_varint(text.len() as u64, key);
    key.extend(text.as_bytes());
}

/// Returns the labels of a series' key.
pub(super) fn labels(key: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    let mut reader = Reader(key);
    let mut text = move || {
        (!reader.0.is_empty()).then(|| {
            let length = reader.varint() as usize;
            str::from_utf8(reader.take(length)).unwrap_or_default()
        })
    };
    std::iter::from_fn(move || Some((text()?, text()?)))
}
